/* Readings of one device. */
#include "api.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define READING(function, type, field)                        \
    nvmlReturn_t function(nvmlDevice_t handle, type *value) { \
        GPU;                                                  \
        NEEDS(value);                                         \
        GIVE(value, device->field);                           \
        LEAVE(NVML_SUCCESS);                                  \
    }

READING(nvmlDeviceGetMinorNumber, unsigned, minor)
READING(nvmlDeviceGetPowerUsage, unsigned, power_milliwatts)
READING(nvmlDeviceGetEnforcedPowerLimit, unsigned, power_limit_milliwatts)
READING(nvmlDeviceGetTotalEnergyConsumption, u64, energy_millijoules)
READING(nvmlDeviceGetFanSpeed, unsigned, fan_percent)
READING(nvmlDeviceGetPcieReplayCounter, unsigned, pcie_replays)

/* Of a GPU: its place among those that this process sees. */
nvmlReturn_t nvmlDeviceGetIndex(nvmlDevice_t handle, unsigned *index) {
    DEVICE;
    NEEDS(index);
    *index = 0;
    for (const struct device *other = state->devices; other < device; other++)
        *index += other->parent == device->parent && api_visible(state, other);
    LEAVE(NVML_SUCCESS);
}

nvmlReturn_t nvmlDeviceGetUUID(nvmlDevice_t handle, char *uuid, unsigned length) {
    DEVICE;
    LEAVE(api_text(uuid, length, device->uuid));
}

nvmlReturn_t nvmlDeviceGetName(nvmlDevice_t handle, char *name, unsigned length) {
    char whole[3 * TEXT];
    DEVICE;
    if (device->parent == NO_DEVICE) LEAVE(api_text(name, length, device->name));
    snprintf(whole, sizeof whole, "%s MIG %s", state->devices[device->parent].name, device->profile);
    LEAVE(api_text(name, length, whole));
}

nvmlReturn_t nvmlDeviceGetPciInfo_v3(nvmlDevice_t handle, nvmlPciInfo_t *info) {
    GPU;
    NEEDS(info);
    if (!*device->pci_bus_id) LEAVE(NVML_ERROR_NOT_SUPPORTED);
    memset(info, 0, sizeof *info);
    if (sscanf(device->pci_bus_id, "%x:%x:%x", &info->domain, &info->bus, &info->device) != 3)
        LEAVE(NVML_ERROR_UNKNOWN);
    snprintf(info->busId, sizeof info->busId, "%08X:%02X:%02X.0", info->domain, info->bus, info->device);
    snprintf(info->busIdLegacy, sizeof info->busIdLegacy, "%04X:%02X:%02X.0", info->domain & 0xffff, info->bus & 0xff,
             info->device & 0xff);
    LEAVE(NVML_SUCCESS);
}

nvmlReturn_t nvmlDeviceGetCudaComputeCapability(nvmlDevice_t handle, int *major, int *minor) {
    DEVICE;
    NEEDS(major && minor);
    if (device->parent != NO_DEVICE) device = &state->devices[device->parent];
    GIVE(major, device->compute_major);
    GIVE(minor, device->compute_minor);
    LEAVE(NVML_SUCCESS);
}

/* Version 1 counts what is reserved as used, version 2 tells it apart. */
nvmlReturn_t nvmlDeviceGetMemoryInfo(nvmlDevice_t handle, nvmlMemory_t *memory) {
    DEVICE;
    NEEDS(memory);
    GIVE(&memory->total, MEBIBYTES(device->memory_total_mib));
    memory->used = MEBIBYTES(device->memory_used_mib + device->memory_reserved_mib);
    memory->free = memory->total - memory->used;
    LEAVE(NVML_SUCCESS);
}

nvmlReturn_t nvmlDeviceGetMemoryInfo_v2(nvmlDevice_t handle, nvmlMemory_v2_t *memory) {
    DEVICE;
    NEEDS(memory);
    if (memory->version != nvmlMemory_v2) LEAVE(NVML_ERROR_ARGUMENT_VERSION_MISMATCH);
    GIVE(&memory->total, MEBIBYTES(device->memory_total_mib));
    memory->reserved = MEBIBYTES(device->memory_reserved_mib);
    memory->used = MEBIBYTES(device->memory_used_mib);
    memory->free = memory->total - memory->used - memory->reserved;
    LEAVE(NVML_SUCCESS);
}

/* NVML tells no use of GPUs in MIG mode. */
nvmlReturn_t nvmlDeviceGetUtilizationRates(nvmlDevice_t handle, nvmlUtilization_t *rates) {
    GPU;
    NEEDS(rates);
    if (device->mig == 1) LEAVE(NVML_ERROR_NOT_SUPPORTED);
    GIVE(&rates->gpu, device->gpu_percent);
    GIVE(&rates->memory, device->memory_percent);
    LEAVE(NVML_SUCCESS);
}

#define CODEC(function, field)                                                      \
    nvmlReturn_t function(nvmlDevice_t handle, unsigned *percent, unsigned *period) { \
        GPU;                                                                        \
        NEEDS(percent && period);                                                   \
        if (device->mig == 1) LEAVE(NVML_ERROR_NOT_SUPPORTED);                      \
        GIVE(percent, device->field);                                               \
        *period = 167000;                                                           \
        LEAVE(NVML_SUCCESS);                                                        \
    }
CODEC(nvmlDeviceGetEncoderUtilization, encoder_percent)
CODEC(nvmlDeviceGetDecoderUtilization, decoder_percent)

nvmlReturn_t nvmlDeviceGetTemperature(nvmlDevice_t handle, nvmlTemperatureSensors_t sensor, unsigned *celsius) {
    GPU;
    NEEDS(celsius && sensor == NVML_TEMPERATURE_GPU);
    GIVE(celsius, device->temperature_celsius);
    LEAVE(NVML_SUCCESS);
}

nvmlReturn_t nvmlDeviceGetTemperatureV(nvmlDevice_t handle, nvmlTemperature_t *temperature) {
    GPU;
    NEEDS(temperature && temperature->sensorType == NVML_TEMPERATURE_GPU);
    if (temperature->version != nvmlTemperature_v1) LEAVE(NVML_ERROR_ARGUMENT_VERSION_MISMATCH);
    GIVE(&temperature->temperature, device->temperature_celsius);
    LEAVE(NVML_SUCCESS);
}

nvmlReturn_t nvmlDeviceGetClockInfo(nvmlDevice_t handle, nvmlClockType_t type, unsigned *mhz) {
    GPU;
    NEEDS(mhz && type < NVML_CLOCK_COUNT);
    const u64 clocks[NVML_CLOCK_COUNT] = {
        [NVML_CLOCK_GRAPHICS] = device->graphics_clock_mhz,
        [NVML_CLOCK_SM] = device->sm_clock_mhz,
        [NVML_CLOCK_MEM] = device->memory_clock_mhz,
        [NVML_CLOCK_VIDEO] = device->video_clock_mhz,
    };
    GIVE(mhz, clocks[type]);
    LEAVE(NVML_SUCCESS);
}

nvmlReturn_t nvmlDeviceGetEccMode(nvmlDevice_t handle, nvmlEnableState_t *now, nvmlEnableState_t *pending) {
    GPU;
    NEEDS(now && pending);
    GIVE(now, device->ecc);
    *pending = *now;
    LEAVE(NVML_SUCCESS);
}

nvmlReturn_t nvmlDeviceGetTotalEccErrors(nvmlDevice_t handle, nvmlMemoryErrorType_t type,
                                         nvmlEccCounterType_t counter, u64 *errors) {
    GPU;
    NEEDS(errors && type < NVML_MEMORY_ERROR_TYPE_COUNT && counter < NVML_ECC_COUNTER_TYPE_COUNT);
    if (device->ecc != 1) LEAVE(NVML_ERROR_NOT_SUPPORTED);
    int corrected = type == NVML_MEMORY_ERROR_TYPE_CORRECTED;
    if (counter == NVML_VOLATILE_ECC)
        GIVE(errors, corrected ? device->volatile_corrected_errors : device->volatile_uncorrected_errors);
    else
        GIVE(errors, corrected ? device->aggregate_corrected_errors : device->aggregate_uncorrected_errors);
    LEAVE(NVML_SUCCESS);
}

nvmlReturn_t nvmlDeviceGetRemappedRows(nvmlDevice_t handle, unsigned *corrected, unsigned *uncorrected,
                                       unsigned *pending, unsigned *failed) {
    GPU;
    NEEDS(corrected && uncorrected && pending && failed);
    GIVE(corrected, device->remapped_corrected_rows);
    GIVE(uncorrected, device->remapped_uncorrected_rows);
    GIVE(pending, device->remapping_pending);
    GIVE(failed, device->remapping_failed);
    LEAVE(NVML_SUCCESS);
}

/* Memory temperature and energy; each value of other fields says by itself that it is not supported. */
nvmlReturn_t nvmlDeviceGetFieldValues(nvmlDevice_t handle, int count, nvmlFieldValue_t *values) {
    struct timespec now;
    GPU;
    NEEDS(values && count > 0);
    clock_gettime(CLOCK_REALTIME, &now);
    for (nvmlFieldValue_t *value = values; value < values + count; value++) {
        u64 number = UNSUPPORTED;
        value->timestamp = now.tv_sec * 1000000ll + now.tv_nsec / 1000;
        value->latencyUsec = 0;
        if (value->fieldId == NVML_FI_DEV_MEMORY_TEMP) {
            number = device->memory_temperature_celsius;
            value->valueType = NVML_VALUE_TYPE_UNSIGNED_INT;
            value->value.uiVal = (unsigned)number;
        } else if (value->fieldId == NVML_FI_DEV_TOTAL_ENERGY_CONSUMPTION) {
            number = device->energy_millijoules;
            value->valueType = NVML_VALUE_TYPE_UNSIGNED_LONG_LONG;
            value->value.ullVal = number;
        }
        value->nvmlReturn = number == UNSUPPORTED ? NVML_ERROR_NOT_SUPPORTED : NVML_SUCCESS;
    }
    LEAVE(NVML_SUCCESS);
}
