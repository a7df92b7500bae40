#include "scenario/doorlab.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "sip/message_write.h"
#include "sys/entropy.h"
#include "tools/unit.h"

struct doorlab doorlab;

/* --- the TLS side --- */

static struct result send_out(void *arg, struct slice message)
{
    (void)arg;
    assert_true(slice_to_str(slice_first(message, sizeof doorlab.sent - 1), doorlab.sent,
                             sizeof doorlab.sent));
    doorlab.sends++;
    return OK;
}

static size_t queued(void *arg)
{
    (void)arg;
    return doorlab.queued;
}

static void registers(void *arg, const struct sip_message *m)
{
    (void)arg;
    (void)m;
    doorlab.registers++;
}

static const struct carrier_line_handlers line_handlers = {
    .send = send_out, .queued = queued, .registers = registers};

void doorlab_open_line(bool registered)
{
    struct carrier_facts f = {
        .account = 1, .id = LINE_ID, .lock = true, .registered = registered, .contact = CONTACT};
    assert_true(addr_parse("192.0.2.7", 40312, &f.local));
    assert_true(addr_parse("198.51.100.1", 5061, &f.remote));
    assert_true(is_ok(carrier_line_new(doorlab.carrier, &f, &line_handlers, NULL, &doorlab.line)));
}

void doorlab_close_line(void)
{
    carrier_line_free(doorlab.line);
    doorlab.line = NULL;
    sim_settle(doorlab.sim);
}

void doorlab_server_says(const char *text)
{
    struct sip_message *m;
    struct errinfo e = ERRINFO_INIT;
    if (is_err(sip_message_parse(slice_of_str(text), &m, &e)))
        fail_msg("%s", e.text);
    carrier_line_receive(doorlab.line, m, slice_of_str(text));
    sip_message_free(m);
    sim_settle(doorlab.sim);
}

/* --- the stack --- */

static void on_data(void *arg, struct slice data)
{
    struct stack *s = arg;
    const size_t n = data.n < sizeof s->got - 1 - s->n ? data.n : sizeof s->got - 1 - s->n;
    memcpy(s->got + s->n, data.p, n);
    s->n += n;
    s->got[s->n] = '\0';
}

static void on_closed(void *arg, struct result why, const struct errinfo *e)
{
    struct stack *s = arg;
    (void)why;
    (void)e;
    stream_close(s->stream);
    s->stream = NULL;
}

static void on_open(void *arg)
{
    (void)arg;
}

static const struct stream_handlers stack_handlers = {
    .on_open = on_open, .on_data = on_data, .on_closed = on_closed};

static struct stack *new_stack(void)
{
    assert_true(doorlab.count < sizeof doorlab.stacks / sizeof doorlab.stacks[0]);
    struct stack *s = &doorlab.stacks[doorlab.count++];
    *s = (struct stack){.stream = NULL};
    return s;
}

struct stack *doorlab_connect(void)
{
    struct stack *s = new_stack();
    struct addr to;
    assert_true(addr_parse("127.0.0.1", DOOR_PORT, &to));
    assert_true(is_ok(
        stream_connect(sim_loop(doorlab.sim), &to, 1 << 20, &stack_handlers, s, &s->stream, NULL)));
    sim_settle(doorlab.sim);
    return s;
}

static void on_dialled(void *arg, struct stream *accepted)
{
    struct stack *s = new_stack();
    (void)arg;
    s->stream = accepted;
    stream_start(accepted, 1 << 20, &stack_handlers, s);
}

void doorlab_listen(uint16_t port)
{
    struct addr at;
    assert_true(addr_parse("127.0.0.1", port, &at));
    assert_true(is_ok(
        stream_listen_tcp(sim_loop(doorlab.sim), &at, on_dialled, NULL, &doorlab.peer, NULL)));
}

void doorlab_says(struct stack *s, const char *text)
{
    s->n = 0;
    s->got[0] = '\0';
    assert_true(is_ok(stream_write(s->stream, slice_of_str(text))));
    sim_settle(doorlab.sim);
}

bool doorlab_got(const struct stack *s, const char *part)
{
    return strstr(s->got, part) != NULL;
}

bool doorlab_sent(const char *part)
{
    return strstr(doorlab.sent, part) != NULL;
}

/* The stack's answer to the request that it has got last. */
void doorlab_answers(struct stack *s, int status, const char *tag)
{
    struct sip_message *m;
    struct buf out;
    assert_true(is_ok(sip_message_parse(slice_of(s->got, s->n), &m, NULL)));
    buf_init(&out, LIMIT_SIP_MESSAGE);
    assert_true(is_ok(sip_message_write_response(
        &out, m, status, NULL, tag, "Contact: <sip:a@127.0.0.1:9;transport=tcp>\r\n")));
    sip_message_free(m);
    doorlab_says(s, buf_str(&out));
    buf_free(&out);
}

/* What the server answers to what left over the line last. */
void doorlab_server_answers(int status, const char *extra)
{
    struct sip_message *m;
    struct buf out;
    assert_true(is_ok(sip_message_parse(slice_of_str(doorlab.sent), &m, NULL)));
    buf_init(&out, LIMIT_SIP_MESSAGE);
    assert_true(is_ok(sip_message_write_response(&out, m, status, NULL, "v", extra)));
    sip_message_free(m);
    doorlab_server_says(buf_str(&out));
    buf_free(&out);
}

/* --- the world --- */

struct result doorlab_try(struct door_config cfg, struct door **out)
{
    return door_new(sim_loop(doorlab.sim), doorlab.carrier, &entropy_system, &cfg, out, NULL);
}

struct door_config doorlab_config(void)
{
    return (struct door_config){
        .account = 1, .port = DOOR_PORT, .user = "alice", .domain = "example.com"};
}

void doorlab_open(struct door_config cfg)
{
    assert_true(is_ok(doorlab_try(cfg, &doorlab.door)));
    assert_true(door_is(doorlab.door, &cfg));
    assert_true(door_status(doorlab.door).open);
}

int doorlab_set_up(void **state)
{
    (void)state;
    memset(&doorlab, 0, sizeof doorlab);
    log_open(getenv("LAB_LOG") != NULL ? LOG_SINK_STDERR : LOG_SINK_NONE, LOG_LEVEL_DEBUG, "door");
    doorlab.sim = sim_new();
    assert_true(is_ok(carrier_new(&entropy_system, &doorlab.carrier, NULL)));
    return 0;
}

int doorlab_tear_down(void **state)
{
    (void)state;
    door_free(doorlab.door);
    carrier_line_free(doorlab.line);
    stream_listener_free(doorlab.peer);
    for (size_t i = 0; i < doorlab.count; i++)
        stream_close(doorlab.stacks[i].stream);
    carrier_free(doorlab.carrier);
    sim_settle(doorlab.sim);
    sim_free(doorlab.sim);
    return 0;
}
