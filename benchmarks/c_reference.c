/* The limit that a prober of this machine can come near to: epoll, OpenSSL and nothing else.
 *
 * Probes one address again and again, each time on a new connection: connects, verifies the chain and the host name,
 * asks for the page, reads it whole, looks for a text in it, and takes the time of each phase. It understands what the
 * benchmark's nginx says (a Content-Length, no chunks, no redirects), keeps no result and has no deadlines.
 *
 * usage: c_reference PORT COUNT IN_FLIGHT HOST TEXT [CA_FILE]     (TLS where a CA_FILE is given)
 * prints {"ok": …, "failed": …, "cpu_s": …, "seconds": …}, where cpu_s leaves out what came before the first probe
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { PAGE_MAX = 1 << 18, EVENTS = 256 };
enum phase { CONNECT, TLS, PROCESSING, TRANSFER, PHASES };

struct probe {
    int fd;
    enum phase phase;
    SSL *ssl;
    size_t held;             /* bytes of the answer read so far */
    size_t whole;            /* bytes of head and body, 0 while the head is not complete */
    double began, took[PHASES];
    char answer[PAGE_MAX];
};

static struct sockaddr_in address = {.sin_family = AF_INET};
static SSL_CTX *context;
static const char *host, *text;
static char request[512];
static size_t request_length;
static int epoll, in_flight;
static long started, wanted, ok, failed;
static double phases[PHASES];

static double now(void) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return at.tv_sec + at.tv_nsec * 1e-9;
}

static double cpu(void) {
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return used.ru_utime.tv_sec + used.ru_stime.tv_sec + (used.ru_utime.tv_usec + used.ru_stime.tv_usec) * 1e-6;
}

static void fail_with(const char *what) {
    fprintf(stderr, "c_reference: %s: %s\n", what, strerror(errno));
    exit(2);
}

static void next_phase(struct probe *probe, enum phase phase) {
    double at = now();
    probe->took[probe->phase] = at - probe->began;
    probe->began = at;
    probe->phase = phase;
}

static void begin(struct probe *probe) {
    started++;
    in_flight++;
    memset(probe, 0, offsetof(struct probe, answer));
    probe->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (probe->fd < 0)
        fail_with("socket");
    probe->began = now();
    if (connect(probe->fd, (struct sockaddr *)&address, sizeof address) && errno != EINPROGRESS)
        fail_with("connect");
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = probe};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, probe->fd, &event))
        fail_with("epoll_ctl");
}

static void end(struct probe *probe, int good) {
    if (good) {
        next_phase(probe, PHASES - 1);
        for (int phase = 0; phase < PHASES; phase++)
            phases[phase] += probe->took[phase];
    }
    good ? ok++ : failed++;
    if (probe->ssl)
        SSL_free(probe->ssl);
    close(probe->fd);
    in_flight--;
    if (started < wanted)
        begin(probe);
}

/* The head is complete: its status must be 200 and it must say how long the body is. */
static int read_head(struct probe *probe) {
    char *blank = memmem(probe->answer, probe->held, "\r\n\r\n", 4);
    if (!blank)
        return probe->held < sizeof probe->answer;
    if (probe->held < 12 || memcmp(probe->answer + 9, "200", 3))
        return 0;
    char *length = memmem(probe->answer, blank - probe->answer, "Content-Length: ", 16);
    if (!length)
        return 0;
    probe->whole = (blank + 4 - probe->answer) + strtoul(length + 16, NULL, 10);
    next_phase(probe, TRANSFER);
    return probe->whole <= sizeof probe->answer;
}

static ssize_t receive(struct probe *probe, char *into, size_t room) {
    if (!probe->ssl)
        return recv(probe->fd, into, room, 0);
    int got = SSL_read(probe->ssl, into, (int)room);
    if (got <= 0) {
        int why = SSL_get_error(probe->ssl, got);
        errno = why == SSL_ERROR_WANT_READ ? EAGAIN : EPROTO;
        return why == SSL_ERROR_ZERO_RETURN ? 0 : -1;
    }
    return got;
}

/* Reads until the socket is empty (edge-triggered). Returns 1 while more must come, 0 once the probe has ended. */
static int read_answer(struct probe *probe) {
    for (;;) {
        ssize_t got = receive(probe, probe->answer + probe->held, sizeof probe->answer - probe->held);
        if (got < 0 && errno == EAGAIN)
            return 1;
        if (got <= 0)
            return end(probe, 0), 0;
        probe->held += got;
        if (!probe->whole && !read_head(probe))
            return end(probe, 0), 0;
        if (probe->whole && probe->held >= probe->whole)
            return end(probe, memmem(probe->answer, probe->held, text, strlen(text)) != NULL), 0;
    }
}

static int ask(struct probe *probe) {
    next_phase(probe, PROCESSING);
    ssize_t sent = probe->ssl ? SSL_write(probe->ssl, request, (int)request_length)
                              : send(probe->fd, request, request_length, MSG_NOSIGNAL);
    return sent == (ssize_t)request_length;
}

static int begin_tls(struct probe *probe) {
    next_phase(probe, TLS);
    probe->ssl = SSL_new(context);
    if (!probe->ssl || !SSL_set_fd(probe->ssl, probe->fd))
        return 0;
    SSL_set_tlsext_host_name(probe->ssl, host);
    SSL_set_hostflags(probe->ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    SSL_set1_host(probe->ssl, host);
    return 1;
}

/* Goes on as far as the socket allows; what fails ends the probe. */
static void step(struct probe *probe) {
    if (probe->phase == CONNECT) {
        int error = 0;
        socklen_t size = sizeof error;
        getsockopt(probe->fd, SOL_SOCKET, SO_ERROR, &error, &size);
        if (error || !(context ? begin_tls(probe) : ask(probe))) {
            end(probe, 0);
            return;
        }
        if (!context)
            return;
    }
    if (probe->phase == TLS) {
        int done = SSL_connect(probe->ssl);
        if (done != 1) {
            int why = SSL_get_error(probe->ssl, done);
            if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE) {
                ERR_clear_error();
                end(probe, 0);
            }
            return;
        }
        if (SSL_get_verify_result(probe->ssl) != X509_V_OK || !ask(probe)) {
            end(probe, 0);
            return;
        }
    }
    read_answer(probe);
}

static SSL_CTX *trusting(const char *ca_file) {
    SSL_CTX *made = SSL_CTX_new(TLS_client_method());
    if (!made || SSL_CTX_load_verify_locations(made, ca_file, NULL) != 1) {
        ERR_print_errors_fp(stderr);
        exit(2);
    }
    SSL_CTX_set_verify(made, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_mode(made, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_cache_mode(made, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_default_read_buffer_len(made, 1 << 16);
    SSL_CTX_set_read_ahead(made, 1); /* one recv for several records */
    return made;
}

static void run(long count, struct probe *probes, int at_once) {
    struct epoll_event events[EVENTS];
    wanted = started + count;
    for (int number = 0; number < at_once && started < wanted; number++)
        begin(&probes[number]);
    while (in_flight) {
        int ready = epoll_wait(epoll, events, EVENTS, 30000);
        if (ready <= 0)
            fail_with("epoll_wait");
        for (int number = 0; number < ready; number++)
            step(events[number].data.ptr);
    }
}

int main(int argc, char **argv) {
    if (argc < 6) {
        fprintf(stderr, "usage: %s PORT COUNT IN_FLIGHT HOST TEXT [CA_FILE]\n", argv[0]);
        return 2;
    }
    address.sin_port = htons((uint16_t)atoi(argv[1]));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    long count = atol(argv[2]);
    int at_once = atoi(argv[3]);
    host = argv[4];
    text = argv[5];
    context = argc > 6 ? trusting(argv[6]) : NULL;
    request_length = snprintf(request, sizeof request,
                              "GET / HTTP/1.1\r\nHost: %s\r\nUser-Agent: c_reference\r\nConnection: close\r\n\r\n", host);
    signal(SIGPIPE, SIG_IGN); /* what breaks is a failed probe */
    epoll = epoll_create1(EPOLL_CLOEXEC);
    struct probe *probes = calloc(at_once, sizeof *probes);
    if (epoll < 0 || !probes)
        fail_with("start");
    run(2 * at_once, probes, at_once); /* warm-up */
    ok = failed = 0;
    memset(phases, 0, sizeof phases);
    double cpu_before = cpu(), before = now();
    run(count, probes, at_once);
    printf("{\"ok\": %ld, \"failed\": %ld, \"cpu_s\": %.6f, \"seconds\": %.6f, \"phases_s\": [%.6f, %.6f, %.6f, %.6f]}\n",
           ok, failed, cpu() - cpu_before, now() - before, phases[0], phases[1], phases[2], phases[3]);
    return 0;
}
