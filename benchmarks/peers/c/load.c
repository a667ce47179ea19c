/* Asks a server on loopback the same thing again and again, and prints what came of it as one line of JSON.
 *
 *     load PORT REQUEST IN_FLIGHT MOST_REQUESTS MOST_SECONDS TOKENS [leave]
 *
 * REQUEST is a file with a whole HTTP/1.1 request. IN_FLIGHT connections send it, each again as soon as its answer is
 * there, until MOST_REQUESTS were sent or MOST_SECONDS are over; then the rest is awaited, for 30 s at most. An answer
 * must be a 200 that says ~tok~ exactly TOKENS times, else it has failed, and the first that did is shown on standard
 * error. With `leave` a client closes its connection as soon as it has seen one token. One thread on epoll.
 *
 *     {"answers", "failed", "left", "tokens", "seconds": until the last of them,
 *      "p50_ns", "p99_ns": until an answer's last byte, "first_p50_ns", "first_p99_ns": until its first token}
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 256, HEAD_SIZE = 16384, READ_SIZE = 65536, MOST_TIMES = 4000000, PATIENCE_S = 30, MOST_CONNECTIONS = 20000 };
static const char TOKEN[] = "~tok~";
static const size_t TOKEN_SIZE = sizeof TOKEN - 1;

enum where { HEAD, LENGTH, CHUNK_SIZE, CHUNK, CHUNK_END, TRAILERS, UNTIL_CLOSE, WHOLE };

struct client {
    int fd, reused, busy;
    enum where where;
    size_t head_size, sent;
    unsigned long long left; /* of the body or chunk; while TRAILERS, the bytes of this line */
    int matched, tokens, status, closes;
    long long began, first;
    char head[HEAD_SIZE];
};

static struct client *clients;
static struct sockaddr_in server = {.sin_family = AF_INET};
static char *request;
static size_t request_size;
static int poller, in_flight, expected, leaves;
static long long most, started, until, now, sent_count, busy_count, answers, failed, left_count, tokens;
static unsigned *times, *firsts; /* ns / 8: up to 34 s */
static size_t time_count;

static void die(const char *what) {
    perror(what);
    exit(1);
}

static long long now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void connect_client(struct client *c) {
    int on = 1;
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&server, sizeof server)) die("connect");
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP, .data.ptr = c};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, c->fd, &event)) die("epoll_ctl");
    c->reused = 0;
}

static void send_request(struct client *c) {
    c->where = HEAD;
    c->head_size = 0;
    c->matched = c->tokens = c->closes = 0;
    c->first = 0;
    c->began = now_ns();
    if (send(c->fd, request, request_size, MSG_NOSIGNAL) != (ssize_t)request_size) c->closes = 1;
}

static void next_request(struct client *c) {
    if (sent_count == most || now >= until) return;
    if (c->fd < 0) connect_client(c);
    sent_count++;
    busy_count++;
    c->busy = 1;
    send_request(c);
}

static void close_client(struct client *c) {
    close(c->fd);
    c->fd = -1;
}

static void note_times(struct client *c) {
    if (time_count == MOST_TIMES) return;
    times[time_count] = (unsigned)((now - c->began) / 8);
    firsts[time_count++] = (unsigned)(((c->first ? c->first : now) - c->began) / 8);
}

static void fail(struct client *c, const char *why) {
    if (!failed++)
        fprintf(stderr, "%s, status %d, %d tokens; it began with: %.*s\n", why, c->status, c->tokens, (int)c->head_size, c->head);
    c->closes = 1;
}

static void end_request(struct client *c, int as_wished) {
    if (as_wished) {
        answers++;
        note_times(c);
    }
    busy_count--;
    c->busy = 0;
    if (c->closes) close_client(c);
    else c->reused = 1;
    next_request(c);
}

static void see_tokens(struct client *c, const char *at, size_t size) {
    for (const char *end = at + size; at < end; at++) {
        if (!c->matched && !(at = memchr(at, TOKEN[0], (size_t)(end - at)))) return;
        if (*at == TOKEN[c->matched]) c->matched++;
        else c->matched = *at == TOKEN[0];
        if (c->matched < (int)TOKEN_SIZE) continue;
        c->matched = 0;
        if (!c->tokens++) c->first = now;
        tokens++;
    }
}

static const char *header(const struct client *c, const char *name) {
    const char *found = strcasestr(c->head, name);
    return found ? found + strlen(name) : NULL;
}

static void understand_head(struct client *c) {
    const char *length = header(c, "\r\ncontent-length:");
    const char *coding = header(c, "\r\ntransfer-encoding: chunked");
    c->status = atoi(c->head + 9);
    c->closes = header(c, "\r\nconnection: close") != NULL;
    c->left = length ? strtoull(length, NULL, 10) : 0;
    c->where = coding ? CHUNK_SIZE : length ? (c->left ? LENGTH : WHOLE) : UNTIL_CLOSE;
}

static size_t read_head(struct client *c, const char *at, size_t size) {
    size_t room = HEAD_SIZE - 1 - c->head_size, taken = size < room ? size : room;
    memcpy(c->head + c->head_size, at, taken);
    c->head[c->head_size + taken] = '\0';
    char *end = strstr(c->head, "\r\n\r\n");
    if (!end) {
        c->head_size += taken;
        return taken;
    }
    size_t whole = (size_t)(end + 4 - c->head), of_these = whole - c->head_size;
    end[2] = '\0';
    c->head_size = whole - 2;
    understand_head(c);
    return of_these;
}

static size_t read_counted(struct client *c, const char *at, size_t size, enum where next) {
    size_t taken = c->left < size ? (size_t)c->left : size;
    see_tokens(c, at, taken);
    c->left -= taken;
    if (!c->left) c->where = next;
    return taken;
}

static void read_framing(struct client *c, char byte) {
    if (c->where == CHUNK_SIZE) {
        int digit = byte >= '0' && byte <= '9' ? byte - '0' : (byte | 32) >= 'a' && (byte | 32) <= 'f' ? (byte | 32) - 'a' + 10 : -1;
        if (digit >= 0) c->left = c->left * 16 + (unsigned)digit;
        if (byte == '\n') c->where = c->left ? CHUNK : TRAILERS;
    } else if (byte == '\n') {
        c->where = c->where == CHUNK_END ? CHUNK_SIZE : c->left ? TRAILERS : WHOLE;
        c->left = 0;
    } else if (c->where == TRAILERS && byte != '\r') {
        c->left++;
    }
}

static size_t read_some(struct client *c, const char *at, size_t size) {
    switch (c->where) {
    case HEAD: return read_head(c, at, size);
    case LENGTH: return read_counted(c, at, size, WHOLE);
    case CHUNK: return read_counted(c, at, size, CHUNK_END);
    case UNTIL_CLOSE: return see_tokens(c, at, size), size;
    case WHOLE: return size;
    default: return read_framing(c, *at), 1;
    }
}

static void judge(struct client *c) {
    int as_wished = c->status == 200 && c->tokens == expected;
    if (!as_wished) fail(c, "an answer is not as expected");
    end_request(c, as_wished);
}

static void leave(struct client *c) {
    left_count++;
    c->closes = 1;
    end_request(c, 0);
}

static void server_closed(struct client *c) {
    if (!c->busy) return close_client(c);
    c->closes = 1;
    if (c->where == UNTIL_CLOSE) return judge(c);
    if (!c->reused || c->head_size) {
        fail(c, "the server closed the connection");
        return end_request(c, 0);
    }
    close_client(c); /* while it was idle: not the server's fault */
    connect_client(c);
    send_request(c);
}

static void receive(struct client *c) {
    char data[READ_SIZE];
    if (c->fd < 0) return;
    ssize_t size = recv(c->fd, data, sizeof data, MSG_DONTWAIT);
    if (size < 0 && errno == EAGAIN) return;
    now = now_ns();
    if (size <= 0) return server_closed(c);
    if (!c->busy) return close_client(c);
    for (char *at = data, *end = data + size; at < end && c->where != WHOLE;) at += read_some(c, at, (size_t)(end - at));
    if (leaves && c->tokens && c->where != WHOLE) return leave(c);
    if (c->where == HEAD && c->head_size == HEAD_SIZE - 1) return fail(c, "a head without end"), end_request(c, 0);
    if (c->where == WHOLE) judge(c);
}

static void run(void) {
    struct epoll_event ready[BATCH];
    for (int i = 0; i < in_flight; i++) {
        clients[i].fd = -1;
        next_request(&clients[i]);
    }
    long long patience = until + PATIENCE_S * 1000000000LL;
    while (busy_count && now < patience) {
        int count = epoll_wait(poller, ready, BATCH, 100);
        now = now_ns();
        for (int i = 0; i < count; i++) receive(ready[i].data.ptr);
    }
    failed += busy_count;
}

static int by_size(const void *a, const void *b) {
    unsigned one = *(const unsigned *)a, other = *(const unsigned *)b;
    return (one > other) - (one < other);
}

static long long percentile(unsigned *all, int percent) {
    return time_count ? 8LL * all[(time_count - 1) * (size_t)percent / 100] : 0;
}

static void report(void) {
    qsort(times, time_count, sizeof *times, by_size);
    qsort(firsts, time_count, sizeof *firsts, by_size);
    printf("{\"answers\": %lld, \"failed\": %lld, \"left\": %lld, \"tokens\": %lld, \"seconds\": %.6f, ", answers, failed,
           left_count, tokens, (double)(now - started) / 1e9);
    printf("\"p50_ns\": %lld, \"p99_ns\": %lld, \"first_p50_ns\": %lld, \"first_p99_ns\": %lld}\n", percentile(times, 50),
           percentile(times, 99), percentile(firsts, 50), percentile(firsts, 99));
}

static void read_request(const char *name) {
    FILE *file = fopen(name, "rb");
    request = malloc(READ_SIZE);
    if (!file || !request) die(name);
    request_size = fread(request, 1, READ_SIZE, file);
    fclose(file);
}

int main(int argc, char **argv) {
    if (argc != 7 && argc != 8)
        return fprintf(stderr, "usage: load PORT REQUEST IN_FLIGHT MOST_REQUESTS MOST_SECONDS TOKENS [leave]\n"), 2;
    signal(SIGPIPE, SIG_IGN);
    server.sin_port = htons((unsigned short)atoi(argv[1]));
    server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    read_request(argv[2]);
    in_flight = atoi(argv[3]);
    most = atoll(argv[4]);
    expected = atoi(argv[6]);
    leaves = argc == 8;
    if (in_flight < 1 || in_flight > MOST_CONNECTIONS) return fprintf(stderr, "1 to %d in flight\n", MOST_CONNECTIONS), 2;
    clients = calloc((size_t)in_flight, sizeof *clients);
    times = malloc(MOST_TIMES * sizeof *times);
    firsts = malloc(MOST_TIMES * sizeof *firsts);
    poller = epoll_create1(EPOLL_CLOEXEC);
    if (!clients || !times || !firsts || poller < 0) die("start");
    started = now = now_ns();
    until = started + (long long)(atof(argv[5]) * 1e9);
    run();
    report();
    return 0;
}
