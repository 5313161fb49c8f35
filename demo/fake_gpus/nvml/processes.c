/* Who uses a device. */
#include "api.h"

#include <string.h>
#include <time.h>

/* A GPU's list has the processes of its instances, too. */
static int uses(const struct state *state, const struct process *process, const struct device *device) {
    const struct device *own = &state->devices[process->device];
    return own == device || (own->parent != NO_DEVICE && &state->devices[own->parent] == device);
}

static nvmlReturn_t list(const struct state *state, const struct device *device, const char *kind, unsigned *count,
                         nvmlProcessInfo_t *infos) {
    unsigned found = 0, room = count && infos ? *count : 0;
    if (!count) return NVML_ERROR_INVALID_ARGUMENT;
    for (size_t i = 0; i < state->process_count; i++) {
        const struct process *process = &state->processes[i];
        const struct device *own = &state->devices[process->device];
        if (strcmp(process->kind, kind) || !uses(state, process, device)) continue;
        if (found < room)
            infos[found] = (nvmlProcessInfo_t){
                .pid = (unsigned)process->pid,
                .usedGpuMemory = MEBIBYTES(process->memory_used_mib), /* NVML_VALUE_NOT_AVAILABLE is UNSUPPORTED */
                .gpuInstanceId = own->parent == NO_DEVICE ? ~0u : (unsigned)own->gpu_instance,
                .computeInstanceId = own->parent == NO_DEVICE ? ~0u : (unsigned)own->compute_instance,
            };
        found++;
    }
    *count = found;
    return found > room ? NVML_ERROR_INSUFFICIENT_SIZE : NVML_SUCCESS;
}

nvmlReturn_t nvmlDeviceGetComputeRunningProcesses_v3(nvmlDevice_t handle, unsigned *count, nvmlProcessInfo_t *infos) {
    DEVICE;
    LEAVE(list(state, device, "compute", count, infos));
}

nvmlReturn_t nvmlDeviceGetGraphicsRunningProcesses_v3(nvmlDevice_t handle, unsigned *count, nvmlProcessInfo_t *infos) {
    DEVICE;
    LEAVE(list(state, device, "graphics", count, infos));
}

nvmlReturn_t nvmlDeviceGetMPSComputeRunningProcesses_v3(nvmlDevice_t handle, unsigned *count,
                                                        nvmlProcessInfo_t *infos) {
    DEVICE;
    LEAVE(list(state, device, "mps", count, infos));
}

static unsigned percent(u64 number) { return number == UNSUPPORTED ? 0 : (unsigned)number; }

/* One sample, of this moment, of each process that used something; none of GPUs in MIG mode. */
nvmlReturn_t nvmlDeviceGetProcessUtilization(nvmlDevice_t handle, nvmlProcessUtilizationSample_t *samples,
                                             unsigned *count, u64 since) {
    struct timespec now;
    unsigned found = 0;
    GPU;
    NEEDS(count);
    if (device->mig == 1) LEAVE(NVML_ERROR_NOT_SUPPORTED);
    unsigned room = samples ? *count : 0;
    clock_gettime(CLOCK_REALTIME, &now);
    u64 timestamp = (u64)now.tv_sec * 1000000 + (u64)now.tv_nsec / 1000;
    for (size_t i = 0; i < state->process_count && timestamp > since; i++) {
        const struct process *process = &state->processes[i];
        nvmlProcessUtilizationSample_t sample = {
            .pid = (unsigned)process->pid,
            .timeStamp = timestamp,
            .smUtil = percent(process->sm_percent),
            .memUtil = percent(process->memory_percent),
            .encUtil = percent(process->encoder_percent),
            .decUtil = percent(process->decoder_percent),
        };
        if (!uses(state, process, device)) continue;
        if (!sample.smUtil && !sample.memUtil && !sample.encUtil && !sample.decUtil) continue;
        if (found < room) samples[found] = sample;
        found++;
    }
    *count = found;
    LEAVE(!found ? NVML_ERROR_NOT_FOUND : found > room ? NVML_ERROR_INSUFFICIENT_SIZE : NVML_SUCCESS);
}
