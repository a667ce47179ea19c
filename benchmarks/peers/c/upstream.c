/* An OpenAI-compatible upstream that answers at once: what remains of a measured time is the gateway's.
 *
 *     upstream ANSWER MOST_SECONDS [CERT KEY]
 *
 * One thread on epoll, loopback only, on a free port that it prints first. ANSWER is a file with the body of a plain
 * answer. What a request's body contains decides how it is answered:
 *
 *     #events=N#   a stream of N events with a token each, all at once
 *     #drip#       a stream with a token every 100 ms, 50 of them
 *     otherwise    the plain answer
 *
 * A GET is answered with {"open": connections, "running": streams that drip} as they are now.
 * With CERT and KEY (PEM files) it speaks TLS, if compiled with -DWITH_TLS. It ends when its standard input does, and
 * after MOST_SECONDS in any case.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#ifdef WITH_TLS
#include <openssl/err.h>
#include <openssl/ssl.h>
static SSL_CTX *tls;
#endif

enum { MOST_FDS = 65536, REQUEST_SIZE = 65536, BATCH = 256, DRIP_MS = 100, DRIPS = 50, MOST_EVENTS = 100000 };

#define EVENT "data: {\"id\":\"chatcmpl-bench\",\"object\":\"chat.completion.chunk\",\"created\":1763900000,"          \
              "\"model\":\"bench\",\"system_fingerprint\":\"fp_bench\",\"choices\":[{\"index\":0,\"delta\":{%s},"      \
              "\"logprobs\":null,\"finish_reason\":%s}]}\n\n"
#define USAGE "data: {\"id\":\"chatcmpl-bench\",\"object\":\"chat.completion.chunk\",\"created\":1763900000,"          \
              "\"model\":\"bench\",\"system_fingerprint\":\"fp_bench\",\"choices\":[],\"usage\":{\"prompt_tokens\":9," \
              "\"completion_tokens\":%d,\"total_tokens\":%d}}\n\n"
static const char STREAM_HEAD[] =
    "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";

struct bytes {
    char *at;
    size_t size;
};

struct connection {
    int fd, drips;
    size_t received, sent;
    struct bytes answer; /* what is being sent; not owned, except `own` */
    char own[256];
    char request[REQUEST_SIZE];
#ifdef WITH_TLS
    SSL *ssl;
#endif
};

static struct connection *connections[MOST_FDS];
static int poller, open_count, running;
static struct bytes plain, first_drip, drip, drip_end, streams[2][MOST_EVENTS + 1];

static void die(const char *what) {
    perror(what);
    exit(1);
}

static void append(struct bytes *to, const char *text, size_t size) {
    to->at = realloc(to->at, to->size + size);
    if (!to->at) die("realloc");
    memcpy(to->at + to->size, text, size);
    to->size += size;
}

static void append_chunk(struct bytes *to, const char *event) {
    char size[16];
    append(to, size, (size_t)snprintf(size, sizeof size, "%zx\r\n", strlen(event)));
    append(to, event, strlen(event));
    append(to, "\r\n", 2);
}

static void append_event(struct bytes *to, const char *delta, const char *finish_reason) {
    char event[512];
    snprintf(event, sizeof event, EVENT, delta, finish_reason);
    append_chunk(to, event);
}

/* No two alike: there are gateways that take a repeated token for a model gone wrong. */
static void append_token(struct bytes *to, int number) {
    char delta[64];
    snprintf(delta, sizeof delta, "\"content\":\"~tok~%d \"", number);
    append_event(to, delta, "null");
}

static void append_end(struct bytes *to, int tokens, int usage) {
    char event[512];
    append_event(to, "", "\"stop\"");
    snprintf(event, sizeof event, USAGE, tokens, tokens + 9);
    if (usage) append_chunk(to, event);
    append_chunk(to, "data: [DONE]\n\n");
    append(to, "0\r\n\r\n", 5);
}

static void append_begin(struct bytes *to) {
    append(to, STREAM_HEAD, sizeof STREAM_HEAD - 1);
    append_event(to, "\"role\":\"assistant\",\"content\":\"\"", "null");
}

static struct bytes burst(int events, int usage) {
    struct bytes *stream = &streams[usage][events];
    if (!stream->at) {
        append_begin(stream);
        for (int i = 0; i < events; i++) append_token(stream, i);
        append_end(stream, events, usage);
    }
    return *stream;
}

static void prepare(const char *file) {
    char body[REQUEST_SIZE], head[256];
    FILE *answer = fopen(file, "rb");
    if (!answer) die(file);
    size_t size = fread(body, 1, sizeof body, answer);
    fclose(answer);
    append(&plain, head,
           (size_t)snprintf(head, sizeof head,
                            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %zu\r\n\r\n", size));
    append(&plain, body, size);
    append_begin(&first_drip);
    append_token(&first_drip, 0);
    append_token(&drip, 1);
    append_end(&drip_end, DRIPS, 0);
}

static int listen_at_loopback(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) || listen(fd, 4096)) die("listen");
    if (getsockname(fd, (struct sockaddr *)&address, &size)) die("getsockname");
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    return fd;
}

static void watch(int fd, uint32_t events, int how) {
    struct epoll_event event = {.events = events, .data.fd = fd};
    if (epoll_ctl(poller, how, fd, &event)) die("epoll_ctl");
}

static void open_connection(int fd) {
    int on = 1;
    struct connection *new = calloc(1, sizeof *new);
    if (!new || fd >= MOST_FDS) die("open_connection");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    new->fd = fd;
#ifdef WITH_TLS
    if (tls) {
        new->ssl = SSL_new(tls);
        SSL_set_fd(new->ssl, fd);
        SSL_set_accept_state(new->ssl);
    }
#endif
    connections[fd] = new;
    open_count++;
    watch(fd, EPOLLIN, EPOLL_CTL_ADD);
}

static void close_connection(struct connection *c) {
#ifdef WITH_TLS
    if (c->ssl) SSL_free(c->ssl);
#endif
    running -= c->drips > 0;
    open_count--;
    connections[c->fd] = NULL;
    close(c->fd);
    free(c);
}

/* Bytes moved, 0 where it must wait, -1 at the end. */
static ssize_t outcome(struct connection *c, ssize_t moved) {
#ifdef WITH_TLS
    if (c->ssl) {
        if (moved > 0) return moved;
        int why = SSL_get_error(c->ssl, (int)moved);
        ERR_clear_error();
        return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? 0 : -1;
    }
#else
    (void)c;
#endif
    if (moved > 0) return moved;
    return moved < 0 && errno == EAGAIN ? 0 : -1;
}

static ssize_t take(struct connection *c) {
    char *to = c->request + c->received;
    size_t room = REQUEST_SIZE - 1 - c->received;
#ifdef WITH_TLS
    if (c->ssl) return outcome(c, SSL_read(c->ssl, to, (int)room));
#endif
    return outcome(c, recv(c->fd, to, room, 0));
}

static ssize_t give(struct connection *c) {
    const char *from = c->answer.at + c->sent;
    size_t left = c->answer.size - c->sent;
#ifdef WITH_TLS
    if (c->ssl) return outcome(c, SSL_write(c->ssl, from, (int)left));
#endif
    return outcome(c, send(c->fd, from, left, MSG_NOSIGNAL));
}

/* 0 once the connection is closed. */
static int send_answer(struct connection *c, struct bytes answer) {
    c->answer = answer;
    c->sent = 0;
    while (c->sent < c->answer.size) {
        ssize_t moved = give(c);
        if (moved < 0) return close_connection(c), 0;
        if (!moved) return watch(c->fd, EPOLLIN | EPOLLOUT, EPOLL_CTL_MOD), 1;
        c->sent += (size_t)moved;
    }
    return 1;
}

static void send_rest(struct connection *c) {
    struct bytes rest = {c->answer.at + c->sent, c->answer.size - c->sent};
    watch(c->fd, EPOLLIN, EPOLL_CTL_MOD);
    send_answer(c, rest);
}

static struct bytes state(struct connection *c) {
    char body[96];
    int size = snprintf(body, sizeof body, "{\"open\": %d, \"running\": %d}", open_count, running);
    int all = snprintf(c->own, sizeof c->own, "HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s", size, body);
    return (struct bytes){c->own, (size_t)all};
}

static void answer(struct connection *c, const char *body) {
    const char *events = strstr(body, "#events=");
    if (!strncmp(c->request, "GET ", 4)) {
        send_answer(c, state(c));
    } else if (strstr(body, "#drip#")) {
        c->drips = DRIPS;
        running++;
        send_answer(c, first_drip);
    } else if (events) {
        int count = atoi(events + 8);
        if (count < 0 || count > MOST_EVENTS) return close_connection(c);
        send_answer(c, burst(count, strstr(body, "include_usage") != NULL));
    } else {
        send_answer(c, plain);
    }
}

/* The body of a request that is there as a whole, else NULL. */
static char *whole_body(struct connection *c) {
    char *end = strstr(c->request, "\r\n\r\n");
    if (!end) return NULL;
    char *body = end + 4;
    size_t size = c->received - (size_t)(body - c->request);
    char *length = strcasestr(c->request, "\r\ncontent-length:");
    if (length && length < body) return size >= strtoul(length + 17, NULL, 10) ? body : NULL;
    char *coding = strcasestr(c->request, "\r\ntransfer-encoding: chunked");
    if (!coding || coding > end) return body;
    return size >= 5 && !strcmp(c->request + c->received - 5, "0\r\n\r\n") ? body : NULL;
}

static void receive(struct connection *c) {
    for (;;) {
        if (c->received == REQUEST_SIZE - 1) return close_connection(c);
        ssize_t moved = take(c);
        if (moved < 0) return close_connection(c);
        if (!moved) return;
        c->received += (size_t)moved;
        c->request[c->received] = '\0';
        char *body = whole_body(c);
        if (!body) continue;
        c->received = 0;
        return answer(c, body);
    }
}

static void drip_all(void) {
    for (int fd = 0, left = running; left && fd < MOST_FDS; fd++) {
        struct connection *c = connections[fd];
        if (!c || !c->drips) continue;
        left--;
        if (c->sent < c->answer.size) continue; /* it does not read */
        running -= !--c->drips;
        send_answer(c, c->drips ? drip : drip_end);
    }
}

static long long now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static int ended(void) {
    struct pollfd input = {.fd = 0, .events = POLLIN};
    char ignored[64];
    return poll(&input, 1, 0) > 0 && read(0, ignored, sizeof ignored) <= 0;
}

static void serve(int listener, long long until) {
    struct epoll_event ready[BATCH];
    long long tick = now_ms() + DRIP_MS;
    watch(listener, EPOLLIN, EPOLL_CTL_ADD);
    while (now_ms() < until) {
        int count = epoll_wait(poller, ready, BATCH, DRIP_MS);
        for (int i = 0; i < count; i++) {
            int fd = ready[i].data.fd;
            if (fd == listener) {
                while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) open_connection(fd);
                continue;
            }
            if (ready[i].events & EPOLLOUT) send_rest(connections[fd]);
            if (connections[fd] && ready[i].events & ~(uint32_t)EPOLLOUT) receive(connections[fd]);
        }
        if (now_ms() < tick) continue;
        tick = now_ms() + DRIP_MS;
        if (ended()) return;
        drip_all();
    }
}

static void speak_tls(const char *cert, const char *key) {
#ifdef WITH_TLS
    tls = SSL_CTX_new(TLS_server_method());
    SSL_CTX_set_mode(tls, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_options(tls, SSL_OP_IGNORE_UNEXPECTED_EOF);
    if (SSL_CTX_use_certificate_chain_file(tls, cert) != 1 || SSL_CTX_use_PrivateKey_file(tls, key, SSL_FILETYPE_PEM) != 1)
        exit(1);
#else
    fprintf(stderr, "compiled without TLS: %s and %s are of no use\n", cert, key);
    exit(2);
#endif
}

int main(int argc, char **argv) {
    if (argc != 3 && argc != 5) return fprintf(stderr, "usage: upstream ANSWER MOST_SECONDS [CERT KEY]\n"), 2;
    signal(SIGPIPE, SIG_IGN);
    prepare(argv[1]);
    if (argc == 5) speak_tls(argv[3], argv[4]);
    poller = epoll_create1(EPOLL_CLOEXEC);
    serve(listen_at_loopback(), now_ms() + atoll(argv[2]) * 1000);
    return 0;
}
