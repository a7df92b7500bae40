#include "ctl/term.h"

#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

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

static bool begins_character(char c)
{
    return ((unsigned char)c & 0xc0) != 0x80;
}

static bool is_control(char c)
{
    return (unsigned char)c < 0x20 || c == 0x7f;
}

/* Bytes of the first WIDTH characters of S. */
static size_t bytes_of(const char *s, size_t width)
{
    size_t i = 0;
    for (; s[i] != '\0'; i++)
        if (begins_character(s[i]) && width-- == 0)
            break;
    return i;
}

size_t term_width(const char *s)
{
    size_t n = 0;
    for (; *s != '\0'; s++)
        n += begins_character(*s);
    return n;
}

static void put_bytes(FILE *out, const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        (void)fputc(is_control(s[i]) ? '?' : s[i], out);
}

static void put_blanks(FILE *out, size_t n)
{
    while (n-- > 0)
        (void)fputc(' ', out);
}

void term_put(FILE *out, const char *s, size_t width)
{
    const size_t has = term_width(s);
    put_bytes(out, s, bytes_of(s, width));
    if (has < width)
        put_blanks(out, width - has);
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
        put_blanks(out, indent);
        put_bytes(out, s, n);
        (void)fprintf(out, "%s%s", cut ? "..." : "", end);
        s += n;
        s += strspn(s, " ");
        lines++;
    }
    return lines;
}
