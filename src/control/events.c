#include "control/events.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "control/lock.h"
#include "control/report.h"
#include "control/rpc.h"
#include "control/trace.h"

/* What subscribers know of an account. */
struct told {
    bool valid;
    struct lock_entry lock;
    enum registration_state registration;
    uint32_t granted_s;
    int status;
    char error[ERRINFO_TEXT_MAX];
};

struct events {
    struct events_source source;
    const char *version;
    struct rpc_server *ui, *admin;
    struct told told[LIMIT_ACCOUNTS]; /* account number i + 1 */
};

/* --- the whole state --- */

/* Takes ITEM over. *LIST is NULL, and nothing is left of it, where ITEM is or there is no memory.
 */
static void append(struct cJSON **list, struct cJSON *item)
{
    if (item != NULL && cJSON_AddItemToArray(*list, item))
        return;
    cJSON_Delete(item);
    cJSON_Delete(*list);
    *list = NULL;
}

static struct cJSON *accounts_list(const struct events *ev)
{
    const struct events_source *s = &ev->source;
    struct cJSON *list = cJSON_CreateArray();

    for (size_t i = 0; list != NULL && i < s->account_count(s->arg); i++) {
        const struct account_status status = account_status(s->account_at(s->arg, i));
        append(&list, report_account(&status));
    }
    return list;
}

static struct cJSON *inbound_list(const struct events *ev)
{
    const struct events_source *s = &ev->source;
    const size_t n = s->inbound_count == NULL ? 0 : s->inbound_count(s->arg);
    struct cJSON *list = cJSON_CreateArray();

    for (size_t i = 0; list != NULL && i < n; i++) {
        const struct inbound_status status = s->inbound_at(s->arg, i);
        append(&list, report_inbound(&status));
    }
    return list;
}

/* Takes ITEM over: false, and it is freed, if it is NULL or there is no memory. */
static bool add(struct cJSON *object, const char *name, struct cJSON *item)
{
    if (item != NULL && cJSON_AddItemToObject(object, name, item))
        return true;
    cJSON_Delete(item);
    return false;
}

static RESULT no_memory(struct errinfo *e)
{
    return fail(e, ERR_NOMEM, "sipsd is short of memory; try again");
}

/* Gives OBJECT to the caller if it is WHOLE, else frees it. */
static RESULT hand_over(struct cJSON *object, bool whole, struct cJSON **result, struct errinfo *e)
{
    if (!whole) {
        cJSON_Delete(object);
        return no_memory(e);
    }
    *result = object;
    return OK;
}

static struct cJSON *trust_now(const struct events *ev)
{
    const struct events_source *s = &ev->source;

    return report_trust(s->trust(s->arg), s->trust_filter(s->arg));
}

static void list_certificate(void *arg, const struct expiry_notice *n)
{
    struct cJSON **list = arg;
    append(list, *list != NULL ? report_certificate(n) : NULL);
}

static struct cJSON *expiring_list(const struct events *ev)
{
    const struct events_source *s = &ev->source;
    struct cJSON *list = cJSON_CreateArray();

    if (s->expiring != NULL)
        s->expiring(s->arg, list_certificate, &list);
    return list;
}

static void list_local_port(void *arg, const struct door_status *s)
{
    struct cJSON **list = arg;
    append(list, *list != NULL ? report_local_port(s) : NULL);
}

static struct cJSON *local_ports_list(const struct events *ev)
{
    const struct events_source *s = &ev->source;
    struct cJSON *list = cJSON_CreateArray();

    if (s->local_ports != NULL)
        s->local_ports(s->arg, list_local_port, &list);
    return list;
}

static struct result snapshot(void *arg, const struct cJSON *params, struct cJSON **result,
                              struct errinfo *e)
{
    const struct events *ev = arg;
    const struct events_source *s = &ev->source;
    struct cJSON *o = cJSON_CreateObject();

    (void)params;
    const bool whole = o != NULL && add(o, "version", cJSON_CreateString(ev->version)) &&
                       add(o, "clock", report_clock(s->now(s->arg))) &&
                       add(o, "trust", trust_now(ev)) && add(o, "expiring", expiring_list(ev)) &&
                       add(o, "complaints", report_complaints(s->complaints(s->arg))) &&
                       add(o, "accounts", accounts_list(ev)) &&
                       add(o, "inbound", inbound_list(ev)) &&
                       add(o, "local_ports", local_ports_list(ev));
    return hand_over(o, whole, result, e);
}

/* --- the methods of control.sock --- */

static struct result account_list(void *arg, const struct cJSON *params, struct cJSON **result,
                                  struct errinfo *e)
{
    struct cJSON *o = cJSON_CreateObject();

    (void)params;
    return hand_over(o, o != NULL && add(o, "accounts", accounts_list(arg)), result, e);
}

static RESULT find_account(const struct events *ev, const struct cJSON *params,
                           struct account **out, struct errinfo *e)
{
    const struct events_source *s = &ev->source;
    const struct cJSON *number = cJSON_GetObjectItemCaseSensitive(params, "account");

    if (!cJSON_IsNumber(number) || number->valuedouble != number->valueint)
        return fail(e, ERR_INVALID, "\"account\" has to be the number of an account");
    for (size_t i = 0; i < s->account_count(s->arg); i++) {
        *out = s->account_at(s->arg, i);
        if (account_number(*out) == number->valueint)
            return OK;
    }
    return fail(e, ERR_NOT_FOUND, "there is no account %d in use", number->valueint);
}

static struct result reconnect(void *arg, const struct cJSON *params, struct cJSON **result,
                               struct errinfo *e)
{
    struct account *a = NULL;

    TRY(find_account(arg, params, &a, e));
    if (account_status(a).state == ACCOUNT_IDLE || account_status(a).state == ACCOUNT_STOPPING)
        return fail(e, ERR_STATE, "account %d is off, and has nothing to connect to",
                    account_number(a));
    account_reconnect(a);
    struct cJSON *o = cJSON_CreateObject();
    return hand_over(o, o != NULL && add(o, "account", cJSON_CreateNumber(account_number(a))),
                     result, e);
}

static struct result rules(void *arg, const struct cJSON *params, struct cJSON **result,
                           struct errinfo *e)
{
    struct account *a = NULL;

    TRY(find_account(arg, params, &a, e));
    const struct account_status s = account_status(a);
    struct cJSON *o = report_rules(&s);
    return hand_over(o, o != NULL, result, e);
}

static const struct jsonrpc_method ui_methods[] = {{NULL, NULL, NULL}};

static const char *const account_params[] = {"account", NULL};
static const struct jsonrpc_method admin_methods[] = {
    {"account.list", NULL, account_list},
    {"account.reconnect", account_params, reconnect},
    {"account.rules", account_params, rules},
    {NULL, NULL, NULL},
};

/* Of control.sock; "bodies" for nothing without "messages". */
static const char *const admin_topics[] = {"messages", "bodies", NULL};
#define TOPIC_MESSAGES JSONRPC_TOPIC(0)
#define TOPIC_BODIES   JSONRPC_TOPIC(1)

/* --- what is told --- */

/* Takes PARAMS over. Without memory for them, subscribers get a snapshot instead, later. */
static void tell(struct events *ev, const char *method, struct cJSON *params)
{
    rpc_notify(ev->ui, method, params);
    rpc_notify(ev->admin, method, params);
    cJSON_Delete(params);
}

static bool anybody_listens(const struct events *ev)
{
    return rpc_has_subscribers(ev->ui) || rpc_has_subscribers(ev->admin);
}

static struct told told_of(const struct account_status *s)
{
    struct told t = {.valid = true,
                     .registration = report_registration_state(s),
                     .granted_s = s->granted_s,
                     .status = s->registration_status};

    lock_reduce(s, &t.lock);
    if (s->registration_error->code != ERR_OK)
        (void)snprintf(t.error, sizeof t.error, "%s", s->registration_error->text);
    return t;
}

static bool registration_differs(const struct told *a, const struct told *b)
{
    return a->registration != b->registration || a->granted_s != b->granted_s ||
           a->status != b->status || strcmp(a->error, b->error) != 0;
}

void events_account_changed(struct events *ev, struct account *a)
{
    const struct account_status s = account_status(a);
    struct told *told = &ev->told[s.number - 1];
    const struct told before = *told, now = told_of(&s);

    *told = now;
    if (!anybody_listens(ev))
        return;
    if (!before.valid || lock_differs(&before.lock, &now.lock))
        tell(ev, "lock", report_account(&s));
    if (!before.valid || registration_differs(&before, &now))
        tell(ev, "registration", report_registration(&s));
}

void events_inbound_changed(struct events *ev, const struct inbound_status *s)
{
    if (anybody_listens(ev))
        tell(ev, "inbound", report_inbound(s));
}

void events_inbound_untold(struct events *ev, unsigned connections)
{
    if (anybody_listens(ev))
        tell(ev, "inbound_untold", report_inbound_untold(connections));
}

void events_accounts_replaced(struct events *ev)
{
    const struct events_source *s = &ev->source;
    struct cJSON *state = NULL;

    for (size_t i = 0; i < LIMIT_ACCOUNTS; i++)
        ev->told[i].valid = false;
    for (size_t i = 0; i < s->account_count(s->arg); i++) {
        const struct account_status status = account_status(s->account_at(s->arg, i));
        ev->told[status.number - 1] = told_of(&status);
    }
    if (!anybody_listens(ev))
        return;
    IGNORE(snapshot(ev, NULL, &state, NULL)); /* NULL then: see tell() */
    tell(ev, "snapshot", state);
}

void events_trust_changed(struct events *ev)
{
    if (anybody_listens(ev))
        tell(ev, "trust", trust_now(ev));
}

void events_clock_changed(struct events *ev)
{
    if (anybody_listens(ev))
        tell(ev, "clock", report_clock(ev->source.now(ev->source.arg)));
}

void events_identity_changed(struct events *ev, const struct identity *id, const char *why)
{
    if (anybody_listens(ev))
        tell(ev, "certificate", report_replaced(id, why, ev->source.now(ev->source.arg)));
}

void events_provision(struct events *ev, const struct provision_report *r)
{
    if (anybody_listens(ev))
        tell(ev, "provision", provision_report_json(r));
}

void events_certificate(struct events *ev, const struct expiry_notice *n)
{
    if (anybody_listens(ev))
        tell(ev, "certificate", report_certificate(n));
}

void events_message(struct events *ev, int account, uint64_t connection, bool outward,
                    struct slice message)
{
    const unsigned both = TOPIC_MESSAGES | TOPIC_BODIES;

    if (rpc_has_subscribers_to(ev->admin, TOPIC_MESSAGES, TOPIC_BODIES)) {
        struct cJSON *params = trace_message(account, connection, outward, message, false);
        rpc_notify_topics(ev->admin, TOPIC_MESSAGES, TOPIC_BODIES, "message", params);
        cJSON_Delete(params);
    }
    if (rpc_has_subscribers_to(ev->admin, both, 0)) {
        struct cJSON *params = trace_message(account, connection, outward, message, true);
        rpc_notify_topics(ev->admin, both, 0, "message", params);
        cJSON_Delete(params);
    }
}

/* --- the sockets --- */

static RESULT open_socket(const struct events_params *p, const char *name, gid_t group,
                          const struct jsonrpc_method *methods, const char *const *topics,
                          const struct jsonrpc_service *more, struct events *ev,
                          struct rpc_server **out, struct errinfo *e)
{
    char path[256];
    const struct rpc_params params = {
        .path = path,
        .mode = group != (gid_t)-1 ? 0660 : 0600,
        .gid = group,
        .service =
            {.methods = methods, .snapshot = snapshot, .topics = topics, .arg = ev, .more = more},
    };
    const int n = snprintf(path, sizeof path, "%s/%s", p->run_dir, name);

    if (n < 0 || (size_t)n >= sizeof path)
        return fail(e, ERR_INVALID, "%s is too long a path for a socket's directory", p->run_dir);
    return rpc_server_new(p->loop, &params, out, e);
}

struct result events_new(const struct events_params *p, struct events **out, struct errinfo *e)
{
    struct events *ev = calloc(1, sizeof *ev);

    if (ev == NULL)
        return no_memory(e);
    ev->source = p->source;
    ev->version = p->version;
    /* Who waits for events.sock to appear can have both then. */
    struct result r = open_socket(p, "control.sock", p->admin_group, admin_methods, admin_topics,
                                  p->more, ev, &ev->admin, e);
    if (is_ok(r))
        r = open_socket(p, "events.sock", p->ui_group, ui_methods, NULL, NULL, ev, &ev->ui, e);
    if (is_err(r)) {
        events_free(ev);
        return r;
    }
    *out = ev;
    return OK;
}

void events_free(struct events *ev)
{
    if (ev == NULL)
        return;
    rpc_server_free(ev->ui);
    rpc_server_free(ev->admin);
    free(ev);
}
