from clawgw.wire.gemini.citations import Citations


def cite(uri: str, title: str = "", end: int = 1) -> dict[str, object]:
    return {"citationMetadata": {"citations": [{"uri": uri, "title": title, "endIndex": end}]}}


def test_a_repeated_citation_is_one() -> None:
    citations = Citations()
    citations.add_text("a")
    citations.add(cite("https://a.example"))
    citations.add(cite("https://a.example", "A"))
    assert [annotation["url_citation"]["title"] for annotation in citations.annotations()] == ["A"]


def test_what_is_kept_is_bounded() -> None:
    citations = Citations()
    for _ in range(20):
        citations.add_text("x" * 100_000)
    for number in range(300):
        citations.add(cite(f"https://a.example/{number}", "t" * 5000, 10**9))
    citations.add(cite("https://a.example/" + "x" * 10_000))
    annotations = citations.annotations()
    assert len(annotations) == 200
    assert {len(annotation["url_citation"]["title"]) for annotation in annotations} == {1000}
    assert {annotation["url_citation"]["end_index"] for annotation in annotations} == {600_000}
