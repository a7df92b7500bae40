/*
 * line: the header fields of a message as they stand in its text, folds and all, for whoever passes
 * a message on and changes only what he must.
 *
 * Only for text that sip_message_parse() has taken: its lines end in CR LF, and there is an empty
 * one behind the header.
 */
#ifndef SIPSD_SIP_LINE_H
#define SIPSD_SIP_LINE_H

#include "sip/header.h"

struct sip_line {
    struct slice whole; /* with its CR LF */
    struct slice name;
    struct slice value;             /* without blanks around it */
    const struct sip_header *known; /* NULL: not one of ours */
};

/* Cuts one line, with those that continue it and its CR LF, off the front of *REST. */
struct slice sip_line_cut(struct slice *rest);

/* The next header field; false at the empty line behind them, which stays in *REST. */
bool sip_line_next(struct slice *rest, struct sip_line *out);

#endif
