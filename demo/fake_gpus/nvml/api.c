/* Beginning of every call, handles, and the functions of the library as a whole. */
#include "api.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int initialized; /* how many nvmlInit are not yet followed by nvmlShutdown */
static struct nvmlDevice_st *handles;

nvmlReturn_t api_text(char *out, unsigned length, const char *text) {
    if (!out) return NVML_ERROR_INVALID_ARGUMENT;
    if (strlen(text) >= length) return NVML_ERROR_INSUFFICIENT_SIZE;
    strcpy(out, text);
    return NVML_SUCCESS;
}

nvmlDevice_t api_handle(const struct device *device) {
    struct nvmlDevice_st *handle;
    for (handle = handles; handle; handle = handle->next)
        if (!strcmp(handle->uuid, device->uuid)) return handle;
    if (!(handle = malloc(sizeof *handle))) return NULL;
    strcpy(handle->uuid, device->uuid);
    handle->next = handles;
    return handles = handle;
}

static const struct device *find(const struct state *state, const char *uuid) {
    for (size_t i = 0; i < state->device_count; i++)
        if (!strcmp(state->devices[i].uuid, uuid)) return &state->devices[i];
    return NULL;
}

/* Whether a comma-separated list has a word. */
static int listed(const char *list, const char *word) {
    size_t length = strlen(word);
    for (const char *at = list; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL)
        if (!strncmp(at, word, length) && (at[length] == ',' || at[length] == '\0')) return 1;
    return 0;
}

static int named(const char *list, const struct device *device) {
    char index[16];
    snprintf(index, sizeof index, "%u", device->index);
    return listed(list, device->uuid) || (device->parent == NO_DEVICE && listed(list, index));
}

int api_visible(const struct state *state, const struct device *device) {
    const char *list = getenv("NVIDIA_VISIBLE_DEVICES");
    if (!list || !strcmp(list, "all")) return 1;
    if (named(list, device)) return 1;
    if (device->parent != NO_DEVICE) return named(list, &state->devices[device->parent]);
    for (size_t i = 0; i < state->device_count; i++) { /* an instance brings its GPU with it */
        const struct device *other = &state->devices[i];
        if (other->parent == (size_t)(device - state->devices) && listed(list, other->uuid)) return 1;
    }
    return 0;
}

/* nvmlDeviceGetMemoryInfo stands for nvmlDeviceGetMemoryInfo_v2, too. */
static int concerns_function(const struct fault *fault, const char *function) {
    size_t length = strlen(fault->function);
    if (!strcmp(fault->function, "*") || !strcmp(fault->function, function)) return 1;
    return !strncmp(fault->function, function, length) && !strncmp(function + length, "_v", 2) &&
           isdigit((unsigned char)function[length + 2]);
}

static int concerns_device(const struct fault *fault, const struct state *state, const char *uuid) {
    if (!*fault->gpu) return 1;
    const struct device *device = uuid ? find(state, uuid) : NULL;
    if (!device) return 0;
    if (named(fault->gpu, device)) return 1;
    return device->parent != NO_DEVICE && named(fault->gpu, &state->devices[device->parent]);
}

static const struct fault *fault_of(const struct state *state, const char *function, const char *uuid, int hangs) {
    for (size_t i = 0; i < state->fault_count; i++) {
        const struct fault *fault = &state->faults[i];
        if (fault->hangs != hangs || !concerns_function(fault, function)) continue;
        if (concerns_device(fault, state, uuid)) return fault;
    }
    return NULL;
}

static double seconds_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

nvmlReturn_t api_fault(const char *function, const char *uuid) {
    const struct state *state;
    const struct fault *fault;
    double began = seconds_now();
    for (;;) { /* a hang ends early when the file no longer has it; it holds nobody else up */
        nvmlReturn_t loaded = state_load(&state);
        if (loaded != NVML_SUCCESS) return loaded;
        fault = fault_of(state, function, uuid, 1);
        if (!fault || seconds_now() - began >= fault->value) break;
        state_unlock();
        nanosleep(&(struct timespec){0, 5000000}, NULL);
        state_lock();
    }
    fault = fault_of(state, function, uuid, 0);
    return fault ? (nvmlReturn_t)fault->value : NVML_SUCCESS;
}

nvmlReturn_t api_enter(const char *function, nvmlDevice_t handle, const struct state **state,
                       const struct device **device) {
    state_lock();
    struct nvmlDevice_st *known = handles;
    while (known && known != handle) known = known->next;
    nvmlReturn_t fault = api_fault(function, known ? known->uuid : NULL);
    if (fault != NVML_SUCCESS) return fault;
    if (!initialized && strncmp(function, "nvmlInit", 8)) return NVML_ERROR_UNINITIALIZED;
    state_load(state);
    if (!device) return NVML_SUCCESS;
    if (!known) return NVML_ERROR_INVALID_ARGUMENT;
    *device = find(*state, known->uuid);
    if (*device && api_visible(*state, *device)) return NVML_SUCCESS;
    return strncmp(known->uuid, "MIG-", 4) ? NVML_ERROR_GPU_IS_LOST : NVML_ERROR_INVALID_ARGUMENT;
}

nvmlReturn_t nvmlInitWithFlags(unsigned flags) {
    (void)flags;
    SYSTEM;
    initialized++;
    LEAVE(NVML_SUCCESS);
}

nvmlReturn_t nvmlInit_v2(void) {
    SYSTEM;
    initialized++;
    LEAVE(NVML_SUCCESS);
}

nvmlReturn_t nvmlShutdown(void) {
    SYSTEM;
    initialized--;
    LEAVE(NVML_SUCCESS);
}

const char *nvmlErrorString(nvmlReturn_t result) {
    switch (result) {
        case NVML_SUCCESS: return "Success";
        case NVML_ERROR_UNINITIALIZED: return "Uninitialized";
        case NVML_ERROR_INVALID_ARGUMENT: return "Invalid Argument";
        case NVML_ERROR_NOT_SUPPORTED: return "Not Supported";
        case NVML_ERROR_NO_PERMISSION: return "Insufficient Permissions";
        case NVML_ERROR_NOT_FOUND: return "Not Found";
        case NVML_ERROR_INSUFFICIENT_SIZE: return "Insufficient Size";
        case NVML_ERROR_DRIVER_NOT_LOADED: return "Driver Not Loaded";
        case NVML_ERROR_TIMEOUT: return "Timeout";
        case NVML_ERROR_FUNCTION_NOT_FOUND: return "Function Not Found";
        case NVML_ERROR_GPU_IS_LOST: return "GPU is lost";
        case NVML_ERROR_LIB_RM_VERSION_MISMATCH: return "Driver/library version mismatch";
        default: return "Unknown Error";
    }
}

nvmlReturn_t nvmlSystemGetDriverVersion(char *version, unsigned length) {
    SYSTEM;
    LEAVE(api_text(version, length, state->driver));
}

nvmlReturn_t nvmlSystemGetNVMLVersion(char *version, unsigned length) {
    SYSTEM;
    LEAVE(api_text(version, length, state->nvml));
}

nvmlReturn_t nvmlSystemGetCudaDriverVersion(int *version) {
    SYSTEM;
    NEEDS(version);
    GIVE(version, state->cuda);
    LEAVE(NVML_SUCCESS);
}

nvmlReturn_t nvmlSystemGetCudaDriverVersion_v2(int *version) {
    SYSTEM;
    NEEDS(version);
    GIVE(version, state->cuda);
    LEAVE(NVML_SUCCESS);
}

nvmlReturn_t nvmlDeviceGetCount_v2(unsigned *count) {
    SYSTEM;
    NEEDS(count);
    *count = 0;
    for (size_t i = 0; i < state->device_count; i++)
        *count += state->devices[i].parent == NO_DEVICE && api_visible(state, &state->devices[i]);
    LEAVE(NVML_SUCCESS);
}

/* Hands out a handle, if the file lets the function succeed for this device. */
static nvmlReturn_t hand_out(const char *function, const struct device *found, nvmlDevice_t *handle) {
    nvmlDevice_t own = api_handle(found);
    if (!own) return NVML_ERROR_MEMORY;
    nvmlReturn_t fault = api_fault(function, own->uuid);
    if (fault == NVML_SUCCESS) *handle = own;
    return fault;
}

nvmlReturn_t nvmlDeviceGetHandleByIndex_v2(unsigned index, nvmlDevice_t *handle) {
    unsigned before = 0;
    SYSTEM;
    NEEDS(handle);
    for (size_t i = 0; i < state->device_count; i++) {
        const struct device *device = &state->devices[i];
        if (device->parent != NO_DEVICE || !api_visible(state, device)) continue;
        if (before++ == index) LEAVE(hand_out(__func__, device, handle));
    }
    LEAVE(NVML_ERROR_INVALID_ARGUMENT);
}

nvmlReturn_t nvmlDeviceGetHandleByUUID(const char *uuid, nvmlDevice_t *handle) {
    SYSTEM;
    NEEDS(uuid && handle);
    const struct device *device = find(state, uuid);
    if (!device || !api_visible(state, device)) LEAVE(NVML_ERROR_NOT_FOUND);
    LEAVE(hand_out(__func__, device, handle));
}
