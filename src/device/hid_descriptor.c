/* SPDX-License-Identifier: BSD-2-Clause */
#include "keypilot/device/hidraw.h"

/* Short items, the two size bits masked out. Spec: USB HID 1.11 §6.2.2.4 to §6.2.2.7 */
enum {
        ITEM_USAGE_PAGE = 0x04,
        ITEM_USAGE = 0x08,
        ITEM_REPORT_SIZE = 0x74,
        ITEM_INPUT = 0x80,
        ITEM_OUTPUT = 0x90,
        ITEM_REPORT_COUNT = 0x94,
        ITEM_COLLECTION = 0xa0,
        ITEM_LONG = 0xfe,
};

/* Spec: CTAP 2.1 §11.2.8.2 */
#define FIDO_USAGE_PAGE 0xf1d0
#define FIDO_USAGE_CTAPHID 0x01

struct reader {
        uint32_t page, usage, size, count;
        bool fido;
        size_t in, out;
};

static void
item_take(struct reader *reader, uint8_t tag, uint32_t value)
{
        switch (tag) {
        case ITEM_USAGE_PAGE:
                reader->page = value;
                break;
        case ITEM_USAGE:
                reader->usage = value;
                break;
        case ITEM_REPORT_SIZE:
                reader->size = value;
                break;
        case ITEM_REPORT_COUNT:
                reader->count = value;
                break;
        case ITEM_COLLECTION:
                if (reader->page == FIDO_USAGE_PAGE &&
                        reader->usage == FIDO_USAGE_CTAPHID)
                        reader->fido = true;
                break;
        case ITEM_INPUT:
                if (reader->fido && reader->in == 0)
                        reader->in = (size_t)reader->size * reader->count / 8;
                break;
        case ITEM_OUTPUT:
                if (reader->fido && reader->out == 0)
                        reader->out = (size_t)reader->size * reader->count / 8;
                break;
        default:
                break;
        }
}

bool
kp_hidraw_is_fido(const uint8_t *descriptor, size_t descriptor_len, size_t *ret_in,
        size_t *ret_out)
{
        static const size_t sizes[] = { 0, 1, 2, 4 };
        struct reader reader = { 0 };
        size_t i = 0;

        while (i < descriptor_len) {
                uint8_t head = descriptor[i++];
                size_t n = sizes[head & 3];
                uint32_t value = 0;

                if (head == ITEM_LONG)
                        n = i < descriptor_len ? (size_t)descriptor[i] + 2 : 0;
                if (n > descriptor_len - i)
                        break;
                for (size_t j = 0; j < n && j < 4; j++)
                        value |= (uint32_t)descriptor[i + j] << (8 * j);
                if (head != ITEM_LONG)
                        item_take(&reader, head & 0xfc, value);
                i += n;
        }
        *ret_in = reader.in;
        *ret_out = reader.out;
        return reader.fido;
}
