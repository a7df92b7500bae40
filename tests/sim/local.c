#include "sim/local.h"

#include "tools/unit.h"

#define GOT_CAP   (16 << 20)
#define QUEUE_CAP (1 << 20)

static void on_open(void *arg)
{
    (void)arg;
}

static void on_data(void *arg, struct slice data)
{
    struct local *p = arg;
    assert_true(is_ok(buf_append(&p->got, data)));
}

static void on_closed(void *arg, struct result why, const struct errinfo *e)
{
    struct local *p = arg;
    (void)why;
    (void)e;
    p->closed = true;
}

static const struct stream_handlers handlers = {
    .on_open = on_open, .on_data = on_data, .on_closed = on_closed};

void local_connect(struct local *p, struct sim *w, const char *path)
{
    *p = (struct local){.w = w};
    buf_init(&p->got, GOT_CAP);
    p->s = sim_connect_unix(w, path, QUEUE_CAP, &handlers, p);
    sim_settle(w);
}

void local_leave(struct local *p)
{
    stream_close(p->s);
    buf_free(&p->got);
    sim_settle(p->w);
}

void local_say(struct local *p, const char *text)
{
    assert_true(is_ok(stream_write(p->s, slice_of_str(text))));
}

void local_ask(struct local *p, const char *text)
{
    local_say(p, text);
    sim_settle(p->w);
}

void local_check(struct local *p, const char *expected)
{
    sim_settle(p->w);
    assert_string_equal(expected, buf_str(&p->got));
    buf_clear(&p->got);
}
