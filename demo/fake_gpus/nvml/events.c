/* Event sets: whoever registers is told, once, of what comes into the file afterwards. */
#include "api.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TYPES (nvmlEventTypeXidCriticalError | nvmlEventTypeSingleBitEccError | nvmlEventTypeDoubleBitEccError)

struct registration {
    nvmlDevice_t handle;
    u64 types;
    u64 told; /* the highest sequence that is not news */
    struct registration *next;
};

struct nvmlEventSet_st {
    struct registration *registrations;
    struct nvmlEventSet_st *next;
};
static struct nvmlEventSet_st *sets;

static int known(nvmlEventSet_t set) {
    for (struct nvmlEventSet_st *other = sets; other; other = other->next)
        if (other == set) return 1;
    return 0;
}

static u64 type_of(const struct event *event) {
    if (!strcmp(event->kind, "single-bit-ecc")) return nvmlEventTypeSingleBitEccError;
    if (!strcmp(event->kind, "double-bit-ecc")) return nvmlEventTypeDoubleBitEccError;
    return nvmlEventTypeXidCriticalError;
}

/* Whether an event happened to the GPU, or to an instance of it. */
static int happened_to(const struct state *state, const struct event *event, const char *uuid) {
    const struct device *device = &state->devices[event->device];
    if (device->parent != NO_DEVICE) device = &state->devices[device->parent];
    return !strcmp(device->uuid, uuid);
}

nvmlReturn_t nvmlDeviceGetSupportedEventTypes(nvmlDevice_t handle, u64 *types) {
    GPU;
    NEEDS(types);
    *types = device->ecc == 1 ? TYPES : nvmlEventTypeXidCriticalError;
    LEAVE(NVML_SUCCESS);
}

nvmlReturn_t nvmlEventSetCreate(nvmlEventSet_t *set) {
    SYSTEM;
    NEEDS(set);
    struct nvmlEventSet_st *own = calloc(1, sizeof *own);
    if (!own) LEAVE(NVML_ERROR_MEMORY);
    own->next = sets;
    *set = sets = own;
    LEAVE(NVML_SUCCESS);
}

nvmlReturn_t nvmlDeviceRegisterEvents(nvmlDevice_t handle, u64 types, nvmlEventSet_t set) {
    GPU;
    NEEDS(known(set));
    if (types & ~(u64)(device->ecc == 1 ? TYPES : nvmlEventTypeXidCriticalError)) LEAVE(NVML_ERROR_NOT_SUPPORTED);
    struct registration *own = calloc(1, sizeof *own);
    if (!own) LEAVE(NVML_ERROR_MEMORY);
    own->handle = handle;
    own->types = types;
    for (size_t i = 0; i < state->event_count; i++)
        if (happened_to(state, &state->events[i], handle->uuid) && state->events[i].sequence > own->told)
            own->told = state->events[i].sequence;
    own->next = set->registrations;
    set->registrations = own;
    LEAVE(NVML_SUCCESS);
}

/* The oldest event that the set has not told of. */
static const struct event *news(const struct state *state, nvmlEventSet_t set, struct registration **whose) {
    const struct event *oldest = NULL;
    for (struct registration *own = set->registrations; own; own = own->next)
        for (size_t i = 0; i < state->event_count; i++) {
            const struct event *event = &state->events[i];
            if (event->sequence <= own->told || !(type_of(event) & own->types)) continue;
            if (!happened_to(state, event, own->handle->uuid)) continue;
            if (oldest && oldest->sequence <= event->sequence) continue;
            oldest = event;
            *whose = own;
        }
    return oldest;
}

static nvmlReturn_t wait_for(nvmlEventSet_t set, nvmlEventData_t *data, unsigned milliseconds, const char *function) {
    struct timespec began, now;
    clock_gettime(CLOCK_MONOTONIC, &began);
    for (;;) {
        const struct state *state;
        struct registration *whose = NULL;
        nvmlReturn_t result = api_fault(function, NULL);
        if (result == NVML_SUCCESS) result = state_load(&state);
        if (result != NVML_SUCCESS) return result;
        if (!known(set)) return NVML_ERROR_INVALID_ARGUMENT; /* freed by another thread meanwhile */
        const struct event *event = news(state, set, &whose);
        if (event) {
            const struct device *device = &state->devices[event->device];
            int instance = device->parent != NO_DEVICE;
            whose->told = event->sequence;
            *data = (nvmlEventData_t){
                .device = whose->handle,
                .eventType = type_of(event),
                .eventData = event->xid,
                .gpuInstanceId = instance ? (unsigned)device->gpu_instance : ~0u,
                .computeInstanceId = instance ? (unsigned)device->compute_instance : ~0u,
            };
            return NVML_SUCCESS;
        }
        clock_gettime(CLOCK_MONOTONIC, &now);
        if ((now.tv_sec - began.tv_sec) * 1000 + (now.tv_nsec - began.tv_nsec) / 1000000 >= (long)milliseconds)
            return NVML_ERROR_TIMEOUT;
        state_unlock();
        nanosleep(&(struct timespec){0, 5000000}, NULL);
        state_lock();
    }
}

nvmlReturn_t nvmlEventSetWait_v2(nvmlEventSet_t set, nvmlEventData_t *data, unsigned milliseconds) {
    SYSTEM;
    NEEDS(known(set) && data);
    LEAVE(wait_for(set, data, milliseconds, __func__));
}

nvmlReturn_t nvmlEventSetFree(nvmlEventSet_t set) {
    SYSTEM;
    NEEDS(known(set));
    for (struct nvmlEventSet_st **link = &sets; *link; link = &(*link)->next)
        if (*link == set) {
            *link = set->next;
            break;
        }
    while (set->registrations) {
        struct registration *first = set->registrations;
        set->registrations = first->next;
        free(first);
    }
    free(set);
    LEAVE(NVML_SUCCESS);
}
