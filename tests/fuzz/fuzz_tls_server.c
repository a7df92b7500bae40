/* Our TLS server, whatever the peer sends and in whatever order things happen. */
#include "tools/tlsfuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tlsfuzz_play(TLS_SERVER, data, size);
    return 0;
}
