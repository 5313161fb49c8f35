/* What the functions of the library have in common. */
#ifndef FAKE_NVML_API_H
#define FAKE_NVML_API_H

#include "state.h"

/* A handle stands for a UUID: it is good for as long as the file has a device of that UUID, wherever it stands. */
struct nvmlDevice_st {
    char uuid[TEXT];
    struct nvmlDevice_st *next;
};

/* Begins a call: takes the lock, reads the state, hangs and fails as the file says. The lock is held when it returns,
 * whatever it returns. `device`: of the handle; NULL when the function has none. */
nvmlReturn_t api_enter(const char *function, nvmlDevice_t handle, const struct state **state,
                       const struct device **device);

/* What the file says of calls to `function` for a device, or for none. May let go of the lock and take it again. */
nvmlReturn_t api_fault(const char *function, const char *uuid);

/* The handle of a device; NULL when memory is short. */
nvmlDevice_t api_handle(const struct device *device);

/* Whether NVIDIA_VISIBLE_DEVICES lets this process see the device. */
int api_visible(const struct state *state, const struct device *device);

nvmlReturn_t api_text(char *out, unsigned length, const char *text);

/* Every function begins with one of these and ends with LEAVE. */
#define LEAVE(result)                   \
    do {                                \
        nvmlReturn_t result_ = (result); \
        state_unlock();                 \
        return result_;                 \
    } while (0)
#define SYSTEM                                                             \
    const struct state *state;                                             \
    nvmlReturn_t entered_ = api_enter(__func__, NULL, &state, NULL);       \
    if (entered_ != NVML_SUCCESS) LEAVE(entered_);                         \
    (void)state
#define DEVICE                                                             \
    const struct state *state;                                             \
    const struct device *device;                                           \
    if (!handle) return NVML_ERROR_INVALID_ARGUMENT;                       \
    nvmlReturn_t entered_ = api_enter(__func__, handle, &state, &device);  \
    if (entered_ != NVML_SUCCESS) LEAVE(entered_);                         \
    (void)state
/* Most functions take no MIG instances. */
#define GPU \
    DEVICE; \
    if (device->parent != NO_DEVICE) LEAVE(NVML_ERROR_NOT_SUPPORTED)
#define NEEDS(pointer) \
    if (!(pointer)) LEAVE(NVML_ERROR_INVALID_ARGUMENT)
/* Hands a number out, or says that there is none. */
#define GIVE(out, number)                                             \
    do {                                                              \
        if ((number) == UNSUPPORTED) LEAVE(NVML_ERROR_NOT_SUPPORTED); \
        *(out) = (number);                                            \
    } while (0)
#define MEBIBYTES(number) ((number) == UNSUPPORTED ? UNSUPPORTED : (number) << 20)

#endif
