#include "pki/certprofile.h"

#include <string.h>

static const char *const profile_names[] = {
    [VERIFY_PROFILE_PUBLIC] = "public", [VERIFY_PROFILE_COMPATIBLE] = "compatible"};

bool certprofile_from_name(const char *text, enum verify_profile *out)
{
    for (size_t i = 0; i < sizeof profile_names / sizeof profile_names[0]; i++)
        if (strcmp(text, profile_names[i]) == 0) {
            *out = (enum verify_profile)i;
            return true;
        }
    return false;
}

const char *certprofile_name(enum verify_profile p)
{
    return p <= VERIFY_PROFILE_COMPATIBLE ? profile_names[p] : "unknown";
}
