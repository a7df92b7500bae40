/* picture: accounts, and certificates that end, as a person reads them; drawn by status once and by
 * watch again and again. */
#ifndef SIPSD_CTL_PICTURE_H
#define SIPSD_CTL_PICTURE_H

#include "ctl/term.h"
#include "sipsd/client.h"

#define PICTURE_ACCOUNTS_MAX 64
#define PICTURE_CERTIFICATES_MAX                                     \
    16 /* that are about to end; of more there is no use on a screen \
        */

/* What is known of the phone. */
struct picture {
    struct sipsd_account accounts[PICTURE_ACCOUNTS_MAX]; /* by number */
    size_t count;
    int64_t told_ms[PICTURE_ACCOUNTS_MAX]; /* when each was told: what retry_in_ms counts from */
    struct sipsd_certificate certificates[PICTURE_CERTIFICATES_MAX];
    size_t certificates_count;
    char phone[128]; /* "sipsd 0.1.0, clock set, 76 built-in and 1 custom CAs" */
};

/* Takes an event in; false if it changes nothing that is drawn. NOW_MS is any clock that does not
 * jump. */
bool picture_apply(struct picture *p, const struct sipsd_event *ev, int64_t now_ms);

/* Reads a "status" answer. */
bool picture_read(struct picture *p, const char *json, int64_t now_ms);

/* "locked", "encrypted only", "connecting", "down"; and the colour that goes with it. */
const char *picture_word(const struct sipsd_account *a);
enum term_colour picture_colour(const struct sipsd_account *a);

/* The lock: two columns of an icon, or of ASCII. */
const char *picture_glyph(const struct term *t, const struct sipsd_account *a);

/* Draws the phone, its accounts and below them certificates that end; END ends each line. Returns
 * the lines drawn, at most MAX: where there is too little room, the sentences are cut first, then
 * left out, then certificates and then accounts are. */
int picture_draw(FILE *out, const struct term *t, const struct picture *p, int64_t now_ms, int max,
                 const char *end);

#endif
