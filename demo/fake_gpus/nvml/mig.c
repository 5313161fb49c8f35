/* MIG mode and MIG devices. */
#include "api.h"

#include <string.h>

#define CARD_SLICES 7

nvmlReturn_t nvmlDeviceGetMigMode(nvmlDevice_t handle, unsigned *now, unsigned *pending) {
    GPU;
    NEEDS(now && pending);
    GIVE(now, device->mig);
    *pending = *now;
    LEAVE(NVML_SUCCESS);
}

nvmlReturn_t nvmlDeviceIsMigDeviceHandle(nvmlDevice_t handle, unsigned *is_instance) {
    DEVICE;
    NEEDS(is_instance);
    *is_instance = device->parent != NO_DEVICE;
    LEAVE(NVML_SUCCESS);
}

/* How many there could be: the indices of those that there are lie below. */
nvmlReturn_t nvmlDeviceGetMaxMigDeviceCount(nvmlDevice_t handle, unsigned *count) {
    unsigned instances = 0;
    GPU;
    NEEDS(count);
    for (size_t i = 0; i < state->device_count; i++)
        instances += state->devices[i].parent == (size_t)(device - state->devices);
    *count = device->mig != 1 ? 0 : instances > CARD_SLICES ? instances : CARD_SLICES;
    LEAVE(NVML_SUCCESS);
}

nvmlReturn_t nvmlDeviceGetMigDeviceHandleByIndex(nvmlDevice_t handle, unsigned index, nvmlDevice_t *instance) {
    GPU;
    NEEDS(instance);
    if (device->mig != 1) LEAVE(NVML_ERROR_NOT_SUPPORTED);
    for (size_t i = 0; i < state->device_count; i++) {
        const struct device *other = &state->devices[i];
        if (other->parent != (size_t)(device - state->devices) || !api_visible(state, other)) continue;
        if (index-- == 0) {
            *instance = api_handle(other);
            LEAVE(*instance ? NVML_SUCCESS : NVML_ERROR_MEMORY);
        }
    }
    LEAVE(NVML_ERROR_NOT_FOUND);
}

/* These take MIG devices only. */
#define INSTANCE \
    DEVICE;      \
    if (device->parent == NO_DEVICE) LEAVE(NVML_ERROR_INVALID_ARGUMENT)

nvmlReturn_t nvmlDeviceGetDeviceHandleFromMigDeviceHandle(nvmlDevice_t handle, nvmlDevice_t *gpu) {
    INSTANCE;
    NEEDS(gpu);
    *gpu = api_handle(&state->devices[device->parent]);
    LEAVE(*gpu ? NVML_SUCCESS : NVML_ERROR_MEMORY);
}

nvmlReturn_t nvmlDeviceGetGpuInstanceId(nvmlDevice_t handle, unsigned *id) {
    INSTANCE;
    NEEDS(id);
    GIVE(id, device->gpu_instance);
    LEAVE(NVML_SUCCESS);
}

nvmlReturn_t nvmlDeviceGetComputeInstanceId(nvmlDevice_t handle, unsigned *id) {
    INSTANCE;
    NEEDS(id);
    GIVE(id, device->compute_instance);
    LEAVE(NVML_SUCCESS);
}

nvmlReturn_t nvmlDeviceGetAttributes_v2(nvmlDevice_t handle, nvmlDeviceAttributes_t *attributes) {
    DEVICE;
    NEEDS(attributes);
    if (device->parent == NO_DEVICE) LEAVE(NVML_ERROR_NOT_SUPPORTED);
    memset(attributes, 0, sizeof *attributes);
    GIVE(&attributes->multiprocessorCount, device->multiprocessors);
    GIVE(&attributes->gpuInstanceSliceCount, device->slices);
    GIVE(&attributes->computeInstanceSliceCount, device->slices);
    GIVE(&attributes->memorySizeMB, device->memory_total_mib);
    LEAVE(NVML_SUCCESS);
}
