#include "ctl/term.h"

#include <langinfo.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

void term_look(struct term *t)
{
    struct winsize size;
    const char *kind = getenv("TERM");
    t->columns = 80;
    t->rows = 24;
    t->live = isatty(STDOUT_FILENO) == 1 && kind != NULL && strcmp(kind, "dumb") != 0;
    t->utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
    if (t->live && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
        t->columns = size.ws_col;
        t->rows = size.ws_row;
    }
}

const char *term_colour(const struct term *t, enum term_colour c)
{
    static const char *const sequences[] = {
        [TERM_PLAIN] = "\033[0m",  [TERM_DIM] = "\033[2m",     [TERM_BOLD] = "\033[1m",
        [TERM_GREEN] = "\033[32m", [TERM_YELLOW] = "\033[33m", [TERM_RED] = "\033[31m",
    };
    return t->live && getenv("NO_COLOR") == NULL ? sequences[c] : "";
}

/* One character as the terminal shows it. */
struct shown {
    size_t bytes;
    size_t columns; /* 0 for one that combines with the one before it, 2 for a wide one */
    bool printable; /* else it is shown as '?' */
};

static struct shown first_of(const char *s)
{
    mbstate_t state = {0};
    wchar_t c;
    size_t n = mbrtowc(&c, s, strnlen(s, MB_LEN_MAX), &state);
    if (n != (size_t)-1 && n != (size_t)-2 && n != 0 && wcwidth(c) >= 0)
        return (struct shown){n, (size_t)wcwidth(c), true};
    for (n = 1; ((unsigned char)s[n] & 0xc0) == 0x80;)
        n++; /* all of a character that this locale does not have is one '?' */
    return (struct shown){n, 1, false};
}

/* Bytes of S that fit into WIDTH columns. */
static size_t bytes_of(const char *s, size_t width)
{
    size_t i = 0;
    while (s[i] != '\0') {
        const struct shown c = first_of(s + i);
        if (c.columns > width)
            break;
        width -= c.columns;
        i += c.bytes;
    }
    return i;
}

/* Columns of the first N bytes. */
static size_t columns_of(const char *s, size_t n)
{
    size_t columns = 0;
    for (size_t i = 0; i < n;) {
        const struct shown c = first_of(s + i);
        columns += c.columns;
        i += c.bytes;
    }
    return columns;
}

size_t term_width(const char *s)
{
    return columns_of(s, strlen(s));
}

static void put_bytes(FILE *out, const char *s, size_t n)
{
    for (size_t i = 0; i < n;) {
        const struct shown c = first_of(s + i);
        if (c.printable)
            (void)fwrite(s + i, 1, c.bytes, out);
        else
            (void)fputc('?', out);
        i += c.bytes;
    }
}

static void put_blanks(FILE *out, size_t n)
{
    while (n-- > 0)
        (void)fputc(' ', out);
}

void term_put(FILE *out, const char *s, size_t width)
{
    const size_t n = bytes_of(s, width);
    put_bytes(out, s, n);
    put_blanks(out, width - columns_of(s, n));
}

/* Bytes of the line that S begins with: up to the last blank that fits, or all that fits. */
static size_t line_bytes(const char *s, size_t width)
{
    const size_t fits = bytes_of(s, width);
    if (s[fits] == '\0' || s[fits] == ' ')
        return fits;
    for (size_t i = fits; i > 0; i--)
        if (s[i - 1] == ' ')
            return i - 1;
    return fits;
}

int term_wrap(FILE *out, const char *s, size_t indent, size_t width, int max, const char *end)
{
    int lines = 0;
    while (*s != '\0' && lines < max && width > 3) {
        size_t n = line_bytes(s, width);
        const bool cut = lines == max - 1 && s[n] != '\0';
        if (cut)
            n = bytes_of(s, width - 3);
        if (out != NULL) {
            put_blanks(out, indent);
            put_bytes(out, s, n);
            (void)fprintf(out, "%s%s", cut ? "..." : "", end);
        }
        s += n;
        s += strspn(s, " ");
        lines++;
    }
    return lines;
}
