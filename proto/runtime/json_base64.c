#include "proto/runtime/json_base64.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void grpcc_base64_encode(const uint8_t *data, size_t length, struct heel_buffer *to)
{
    for (size_t i = 0; i < length; i += 3) {
        size_t left = length - i;
        unsigned group = (unsigned)data[i] << 16 | (left > 1 ? (unsigned)data[i + 1] << 8 : 0) |
                         (left > 2 ? data[i + 2] : 0u);
        char letters[4] = {
            alphabet[group >> 18],
            alphabet[group >> 12 & 63],
            left > 1 ? alphabet[group >> 6 & 63] : '=',
            left > 2 ? alphabet[group & 63] : '=',
        };

        heel_buffer_append(to, letters, sizeof(letters));
    }
}

static int value_of(char letter)
{
    if (letter >= 'A' && letter <= 'Z')
        return letter - 'A';
    if (letter >= 'a' && letter <= 'z')
        return letter - 'a' + 26;
    if (letter >= '0' && letter <= '9')
        return letter - '0' + 52;
    if (letter == '+' || letter == '-')
        return 62;
    return letter == '/' || letter == '_' ? 63 : -1;
}

/* The length without padding; with it, a text is a multiple of four. */
static bool strip_padding(const char *text, size_t *length)
{
    size_t bare = *length;

    while (bare > 0 && *length - bare < 2 && text[bare - 1] == '=')
        bare--;
    if ((bare != *length && *length % 4 != 0) || bare % 4 == 1)
        return false;
    *length = bare;
    return true;
}

bool grpcc_base64_decode(const char *text, size_t length, struct heel_buffer *to)
{
    unsigned bits = 0, pending = 0;

    if (!strip_padding(text, &length))
        return false;
    for (size_t i = 0; i < length; i++) {
        int value = value_of(text[i]);

        if (value < 0)
            return false;
        pending = (pending << 6 | (unsigned)value) & 0xffff;
        bits += 6;
        if (bits >= 8) {
            uint8_t byte = (uint8_t)(pending >> (bits - 8));

            heel_buffer_append(to, &byte, 1);
            bits -= 8;
        }
    }
    return true;
}
