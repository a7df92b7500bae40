/*
 * layers: what was provisioned, by where it came from. Of two that say something of the same key
 * the later counts; what none speaks of has its default (control/keys.h):
 *
 *     DEFAULT   built in
 *     BASE      the files that sipsd was started with: kept by the caller, not here
 *     COMMON    files that are for many phones
 *     PHONE     the file that is called by this phone's MAC address
 *     LOCAL     what was set on the phone itself
 *
 * The last three are files of the generation (sys/generation), beside the certificates: common.cfg,
 * phone.cfg and local.cfg, which settings_write() makes; a layer that says nothing has none.
 */
#ifndef SIPSD_CONTROL_LAYERS_H
#define SIPSD_CONTROL_LAYERS_H

#include "control/change.h"
#include "control/complaints.h"
#include "control/settings.h"

enum layer { LAYER_DEFAULT, LAYER_BASE, LAYER_COMMON, LAYER_PHONE, LAYER_LOCAL };

/* "default", "base", "common" ...: as JSON has them. Static storage. */
const char *layer_name(enum layer layer);

struct layers;

/* Below, WHICH is COMMON, PHONE or LOCAL; another one is a bug (assert). */

RESULT layers_new(struct layers **out);
RESULT layers_clone(const struct layers *l, struct layers **out);
void layers_free(struct layers *l); /* NULL is fine; wiped */

/*
 * Reads the newest generation of STATE_DIR into L. A layer that is damaged, or no settings file, is
 * complained of, and what the generation before has of it counts instead; a line that is not good
 * is complained of, and left out. ERR_NOMEM, and what generation_read() fails of: L is as it was.
 */
RESULT layers_read(struct layers *l, const char *state_dir, struct complaints *complaints,
                   struct errinfo *e);

/* Whether a layer came from the generation before: the next write of anything else would lose it,
 * so it should be written soon. */
bool layers_is_in_danger(const struct layers *l);

/* What FILE says WHICH says then too. ERR_NOMEM: a part of it is done. */
RESULT layers_merge(struct layers *l, enum layer which, const struct settings *file,
                    struct errinfo *e);

/* WHICH says nothing of KEY any more. ERR_NOT_FOUND if there is no such key. */
RESULT layers_unset(struct layers *l, enum layer which, const char *key, struct errinfo *e);

/* All of them say nothing any more. */
void layers_clear(struct layers *l);

const struct settings *layers_at(const struct layers *l, enum layer which); /* borrowed */
bool layers_same(const struct layers *a, const struct layers *b, enum layer which);

/* The settings that count: L over BASE. The caller's. ERR_NOMEM. */
RESULT layers_effective(const struct layers *l, const struct settings *base, struct settings **out,
                        struct errinfo *e);

/*
 * Which layer decides what the key is: the last that speaks of it, also if only to say that it has
 * its default; if none does, the one that decides on the key's fallback. X and Y as in settings_*.
 */
enum layer layers_source(const struct layers *l, const struct settings *base, const char *name,
                         unsigned x, unsigned y);

/*
 * Has CH write those files that are not on flash as L says (change_set_file()); none, where all
 * are. From then on L takes them for written: drop it if CH is not committed. ERR_LIMIT, ERR_NOMEM:
 * L and CH are to be dropped.
 */
RESULT layers_put(struct layers *l, struct change *ch, struct errinfo *e);

#endif
