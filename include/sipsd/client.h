/*
 * libsipsd: what a phone's other processes link to talk to sipsd.
 *
 * A client is one connection to one of sipsd's Unix sockets: events.sock for the UI, control.sock
 * for admins. It is told of every change of an account's lock and registration as a struct, and can
 * call every method of the socket. It needs no thread and no loop of its own: give its descriptor
 * to yours, and call sipsd_client_next() when it is readable.
 *
 *     struct sipsd_client *c;
 *     char error[SIPSD_ERROR_SIZE];
 *     if (sipsd_client_connect("/run/sipsd/events.sock", &c, error) != SIPSD_OK) ...
 *     sipsd_client_subscribe(c, error);
 *     for (;;) {
 *         poll(sipsd_client_fd(c) ...);
 *         struct sipsd_event ev;
 *         while ((status = sipsd_client_next(c, &ev, error)) == SIPSD_OK)
 *             if (ev.type == SIPSD_EVENT_LOCK)
 *                 show_icon(ev.account.number, ev.account.lock, ev.account.sentence);
 *         if (status != SIPSD_AGAIN)
 *             hide_all_icons(), connect_again();
 *     }
 *
 * When the connection is lost, every lock is unknown: show none.
 *
 * Not for use by several threads at once; different clients are independent. No function ends the
 * process, sets a signal handler or prints. SIGPIPE is never raised.
 */
#ifndef SIPSD_CLIENT_H
#define SIPSD_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What functions return; each failure also puts one sentence into ERROR (SIPSD_ERROR_SIZE bytes, or
 * NULL). */
enum sipsd_status {
    SIPSD_OK = 0,
    SIPSD_AGAIN,   /* no event now: poll the descriptor */
    SIPSD_CLOSED,  /* sipsd is gone: free the client, connect again after a while */
    SIPSD_REFUSED, /* sipsd answered the call with an error; its sentence is in ERROR */
    SIPSD_TIMEOUT, /* no answer within the time that was given */
    SIPSD_FAILED,  /* the socket cannot be opened, memory is short, what came is no JSON-RPC */
};

#define SIPSD_ERROR_SIZE 512

/* The longest line that sipsd sends; a longer one is not sipsd's. */
#define SIPSD_LINE_MAX (1024 * 1024)

enum sipsd_state { SIPSD_STATE_DOWN, SIPSD_STATE_CONNECTING, SIPSD_STATE_UP };

/* How far the encryption can be trusted. */
enum sipsd_assurance {
    SIPSD_ASSURANCE_NONE,  /* encrypted only, or not even that */
    SIPSD_ASSURANCE_CHAIN, /* the certificates are right; the name was not checked */
    SIPSD_ASSURANCE_FULL,  /* certificates and name */
};

/* An account as the UI shows it. All text is UTF-8 and terminated; longer text is cut. */
struct sipsd_account {
    int number; /* 1 and up */
    char label[64];
    char aor[256]; /* "sips:alice@example.com" */
    enum sipsd_state state;
    bool lock; /* the icon: the connection is encrypted, and accepted by the settings */
    enum sipsd_assurance assurance;
    char code[32];         /* what is wrong, for programs: "expired", "unknown_ca" ...; "none" */
    char sentence[512];    /* the same for people; never empty */
    char registration[16]; /* "registered", "trying", ... */
    uint32_t expires_s;    /* granted by the registrar; 0 while not registered */
    char registration_error[320]; /* one sentence, or empty */
    char host[256];               /* where it connects to */
    char protocol[16];            /* "TLSv1.3", or empty while there is no connection */
    char cipher[64];
    int64_t retry_in_ms; /* until the next try, counted from the event; -1: none is planned */
    uint32_t failures;   /* in a row */
};

/* A certificate that is about to end, has ended, or was one of these until now. */
struct sipsd_certificate {
    char role[16];       /* "trusted", "own" or "peer" */
    char name[256];      /* for people */
    char sha256[65];     /* which one it is, together with the role */
    char not_after[24];  /* "2027-01-20T00:00:00Z" */
    int64_t days_left;   /* whole ones; 0 on the last day and after it */
    char state[16];      /* "expiring", "expired"; "replaced", "valid": no worry any more */
    char sentence[1024]; /* what ends, when, and what can be done */
};

enum sipsd_event_type {
    SIPSD_EVENT_SNAPSHOT_BEGIN, /* the whole state follows: forget all accounts and certificates */
    SIPSD_EVENT_SNAPSHOT_END,
    SIPSD_EVENT_LOCK,         /* `account` is set; also for each account of a snapshot */
    SIPSD_EVENT_REGISTRATION, /* `account` is set: number and the registration fields only */
    SIPSD_EVENT_CERTIFICATE,  /* `certificate` is set; also for each one of a snapshot */
    SIPSD_EVENT_OTHER, /* a newer sipsd's, or one without a struct ("trust"): look at `method` and
                          `json` */
};

struct sipsd_event {
    enum sipsd_event_type type;
    struct sipsd_account account;
    struct sipsd_certificate certificate;
    const char *method; /* as sipsd named it; valid until the next call on the client */
    const char *json;   /* its parameters as JSON text; valid until the next call on the client */
};

struct sipsd_client;

/* Connects to the socket at PATH. The client is the caller's: sipsd_client_free(). */
enum sipsd_status sipsd_client_connect(const char *path, struct sipsd_client **out, char *error);
void sipsd_client_free(struct sipsd_client *c); /* NULL is fine */

/* To poll for reading; it stays the client's. */
int sipsd_client_fd(const struct sipsd_client *c);

/* Asks for events. The first ones are those of a snapshot. Returns at once. */
enum sipsd_status sipsd_client_subscribe(struct sipsd_client *c, char *error);

/* The next event; never blocks. Call it until it says SIPSD_AGAIN. */
enum sipsd_status sipsd_client_next(struct sipsd_client *c, struct sipsd_event *out, char *error);

/*
 * Calls METHOD with PARAMS (JSON text, or NULL) and waits at most TIMEOUT_MS for the answer:
 * *RESULT is its JSON text, valid until the next call on the client. Events that arrive meanwhile
 * are kept for sipsd_client_next(); where they are more than SIPSD_LINE_MAX bytes, a fresh snapshot
 * takes their place.
 */
enum sipsd_status sipsd_client_call(struct sipsd_client *c, const char *method, const char *params,
                                    int timeout_ms, const char **result, char *error);

/* Reads one account object of a "status" answer or a "lock" event; false if JSON is not one. */
bool sipsd_account_from_json(const char *json, struct sipsd_account *out);

/* The same for a "certificate" event, or one of a "status" answer's "expiring". */
bool sipsd_certificate_from_json(const char *json, struct sipsd_certificate *out);

#ifdef __cplusplus
}
#endif

#endif
