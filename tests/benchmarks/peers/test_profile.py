from benchmarks.peers.profile import Stacks, file, function

RAW = """main (a.py:1);work (p/b.py:10);read (p/q/c.py:5) 3
main (a.py:1);work (p/b.py:11);read (p/q/c.py:6) 4
main (a.py:1);work (p/b.py:12) 2
main (a.py:2);main (a.py:1) 1
_run (threading.py:1);WorkerThread._work (trio/_core/_thread_cache.py:9) 50
"""


def test_samples_are_counted_by_function_and_file() -> None:
    stacks = Stacks.of(RAW)
    assert stacks.total == 10
    assert stacks.innermost() == {"read (p/q/c.py)": 7, "work (p/b.py)": 2, "main (a.py)": 1}
    assert stacks.anywhere() == {"main (a.py)": 10, "work (p/b.py)": 9, "read (p/q/c.py)": 7}
    assert stacks.files() == {"p/q/c.py": 7, "p/b.py": 2, "a.py": 1}
    assert stacks.packages() == {"p/q": 7, "p": 2, "a.py": 1}


def test_a_frame_may_have_no_line() -> None:
    assert function("main (a.py:1)") == "main (a.py)"
    assert function("epoll_wait (libc.so.6)") == "epoll_wait (libc.so.6)"
    assert file("epoll_wait (libc.so.6)") == "libc.so.6"
