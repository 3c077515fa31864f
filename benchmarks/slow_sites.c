/* Thousands of slow web sites in one cheap process: site number n is 127.1.0.0 + n.
 *
 * Each has its own certificate (TLS) and its own page, in which the eight digits of a number stand. An answer comes
 * LEAST_MS to MOST_MS milliseconds after its request, evenly spread. One request a connection. Only this machine can
 * reach it: it listens on the loopback device.
 *
 * usage: slow_sites PORT LEAST_MS MOST_MS PAGE_FILE [CERTIFICATES_FILE KEY_FILE]
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { REQUEST_MAX = 4096, EVENTS = 256, TICK_MS = 5, SLOTS = 1024, DIGITS = 8, BACKLOG = 4096 };
enum state { HANDSHAKE, REQUEST, WAITING, ANSWER };

#define FIRST_SITE 0x7f010000u /* 127.1.0.0 */

struct visit {
    int fd;
    enum state state;
    SSL *ssl;
    unsigned site;
    size_t asked, answered; /* bytes */
    struct visit *next;     /* in its slot of the wheel */
    int dropped;            /* the client went away while its answer waited */
    char request[REQUEST_MAX];
};

static SSL_CTX *context;
static EVP_PKEY *key;
static X509 **certificates;
static size_t certificate_count;
static char *answer, *digits;
static size_t answer_length;
static int epoll, listener, waiting;
static long least_ms, most_ms, tick;
static struct visit *wheel[SLOTS];
static unsigned long long dice = 88172645463325252ull;

static void fail_with(const char *what) {
    fprintf(stderr, "slow_sites: %s: %s\n", what, strerror(errno));
    ERR_print_errors_fp(stderr);
    exit(2);
}

static long now_ms(void) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return at.tv_sec * 1000 + at.tv_nsec / 1000000;
}

/* xorshift64: the same sequence at each start, so that every prober meets the same delays. */
static long delay_ms(void) {
    dice ^= dice << 13;
    dice ^= dice >> 7;
    dice ^= dice << 17;
    return least_ms + (long)(dice % (unsigned long long)(most_ms - least_ms + 1));
}

static void leave(struct visit *visit) {
    if (visit->ssl)
        SSL_free(visit->ssl);
    close(visit->fd);
    free(visit);
}

/* Whether an operation that did not end may be tried again once the socket is ready. */
static int must_wait(struct visit *visit, int result) {
    if (!visit->ssl)
        return errno == EAGAIN;
    int why = SSL_get_error(visit->ssl, result);
    ERR_clear_error();
    return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE;
}

static void give_answer(struct visit *visit) {
    char number[DIGITS + 1];
    snprintf(number, sizeof number, "%08u", visit->site);
    memcpy(digits, number, DIGITS);
    while (visit->answered < answer_length) {
        const char *from = answer + visit->answered;
        size_t left = answer_length - visit->answered;
        int sent = visit->ssl ? SSL_write(visit->ssl, from, (int)left) : (int)send(visit->fd, from, left, MSG_NOSIGNAL);
        if (sent <= 0) {
            if (!must_wait(visit, sent))
                leave(visit);
            return;
        }
        visit->answered += sent;
    }
    if (visit->ssl)
        SSL_shutdown(visit->ssl);
    leave(visit);
}

static void read_request(struct visit *visit) {
    for (;;) {
        char *into = visit->request + visit->asked;
        size_t room = sizeof visit->request - visit->asked;
        int got = visit->ssl ? SSL_read(visit->ssl, into, (int)room) : (int)recv(visit->fd, into, room, 0);
        if (got <= 0) {
            if (got == 0 || !must_wait(visit, got))
                leave(visit);
            return;
        }
        visit->asked += got;
        if (memmem(visit->request, visit->asked, "\r\n\r\n", 4))
            break;
        if (visit->asked == sizeof visit->request) {
            leave(visit);
            return;
        }
    }
    struct visit **slot = &wheel[(tick + delay_ms() / TICK_MS) % SLOTS];
    visit->state = WAITING;
    visit->next = *slot;
    *slot = visit;
    waiting++;
}

static void shake_hands(struct visit *visit) {
    int done = SSL_accept(visit->ssl);
    if (done == 1) {
        visit->state = REQUEST;
        read_request(visit);
    } else if (!must_wait(visit, done)) {
        leave(visit);
    }
}

static void step(struct visit *visit, unsigned events) {
    switch (visit->state) {
    case HANDSHAKE:
        shake_hands(visit);
        return;
    case REQUEST:
        read_request(visit);
        return;
    case WAITING:
        if (events & (EPOLLHUP | EPOLLERR))
            visit->dropped = 1;
        return;
    case ANSWER:
        give_answer(visit);
    }
}

static int begin_tls(struct visit *visit) {
    visit->ssl = SSL_new(context);
    return visit->ssl && SSL_use_certificate(visit->ssl, certificates[visit->site % certificate_count]) == 1 &&
           SSL_use_PrivateKey(visit->ssl, key) == 1 && SSL_set_fd(visit->ssl, visit->fd) == 1 &&
           (SSL_set_accept_state(visit->ssl), 1);
}

static void welcome(void) {
    int fd;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        struct sockaddr_in here;
        socklen_t size = sizeof here;
        struct visit *visit = calloc(1, sizeof *visit);
        if (!visit || getsockname(fd, (struct sockaddr *)&here, &size))
            fail_with("accept");
        visit->fd = fd;
        visit->site = ntohl(here.sin_addr.s_addr) - FIRST_SITE;
        visit->state = context ? HANDSHAKE : REQUEST;
        struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = visit};
        if ((context && !begin_tls(visit)) || epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event))
            leave(visit);
    }
}

/* Answers all whose time has come. */
static void turn(long until) {
    while (tick < until) {
        struct visit *visit = wheel[tick % SLOTS];
        wheel[tick++ % SLOTS] = NULL;
        while (visit) {
            struct visit *next = visit->next;
            waiting--;
            visit->state = ANSWER;
            visit->dropped ? leave(visit) : give_answer(visit);
            visit = next;
        }
    }
}

static char *contents(const char *file, size_t *length) {
    FILE *from = fopen(file, "rb");
    if (!from || fseek(from, 0, SEEK_END))
        fail_with(file);
    *length = ftell(from);
    rewind(from);
    char *text = malloc(*length + 1);
    if (!text || fread(text, 1, *length, from) != *length)
        fail_with(file);
    text[*length] = '\0';
    fclose(from);
    return text;
}

static void prepare_answer(const char *file) {
    size_t length;
    char *page = contents(file, &length);
    answer = malloc(length + 256);
    int head = sprintf(answer,
                       "HTTP/1.1 200 OK\r\nServer: slow_sites\r\nContent-Type: text/html; charset=utf-8\r\n"
                       "Content-Length: %zu\r\nConnection: close\r\n\r\n",
                       length);
    memcpy(answer + head, page, length);
    answer_length = head + length;
    free(page);
    digits = memmem(answer + head, length, "00000000", DIGITS);
    if (!digits) {
        fprintf(stderr, "slow_sites: the page has no place (00000000) for a site's number\n");
        exit(2);
    }
}

static void prepare_tls(const char *certificates_file, const char *key_file) {
    BIO *from = BIO_new_file(certificates_file, "r"), *secret = BIO_new_file(key_file, "r");
    context = SSL_CTX_new(TLS_server_method());
    if (!from || !secret || !context || !(key = PEM_read_bio_PrivateKey(secret, NULL, NULL, NULL)))
        fail_with("TLS");
    X509 *one;
    while ((one = PEM_read_bio_X509(from, NULL, NULL, NULL))) {
        certificates = realloc(certificates, (certificate_count + 1) * sizeof *certificates);
        certificates[certificate_count++] = one;
    }
    ERR_clear_error();
    if (!certificate_count)
        fail_with(certificates_file);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF);
    BIO_free(from);
    BIO_free(secret);
}

static void listen_on(int port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int yes = 1;
    listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) ||
        setsockopt(listener, SOL_SOCKET, SO_BINDTODEVICE, "lo", sizeof "lo") ||
        bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, BACKLOG))
        fail_with("listen");
    epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event))
        fail_with("epoll");
}

int main(int argc, char **argv) {
    if (argc != 5 && argc != 7) {
        fprintf(stderr, "usage: %s PORT LEAST_MS MOST_MS PAGE_FILE [CERTIFICATES_FILE KEY_FILE]\n", argv[0]);
        return 2;
    }
    least_ms = atol(argv[2]);
    most_ms = atol(argv[3]);
    if (least_ms < 0 || most_ms < least_ms || most_ms >= (SLOTS - 1) * TICK_MS) {
        fprintf(stderr, "slow_sites: %ld to %ld ms cannot be kept\n", least_ms, most_ms);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN); /* a client may go away before its answer */
    prepare_answer(argv[4]);
    if (argc == 7)
        prepare_tls(argv[5], argv[6]);
    listen_on(atoi(argv[1]));
    struct epoll_event events[EVENTS];
    tick = now_ms() / TICK_MS;
    for (;;) {
        int ready = epoll_wait(epoll, events, EVENTS, waiting ? TICK_MS : -1);
        if (!waiting)
            tick = now_ms() / TICK_MS;
        for (int number = 0; number < ready; number++) {
            if (events[number].data.ptr)
                step(events[number].data.ptr, events[number].events);
            else
                welcome();
        }
        turn(now_ms() / TICK_MS);
    }
}
