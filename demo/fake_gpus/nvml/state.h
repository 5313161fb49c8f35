/* What the state file says, as the library holds it. The format is told in demo/fake_gpus/state.py. */
#ifndef FAKE_NVML_STATE_H
#define FAKE_NVML_STATE_H

#include <stddef.h>

#define NVML_NO_UNVERSIONED_FUNC_DEFS
#include <nvml.h>

typedef unsigned long long u64;

/* A number that the file calls unsupported, or does not give. */
#define UNSUPPORTED (~0ull)
#define NO_DEVICE ((size_t)-1)
#define TEXT 96

/* A GPU or a MIG instance. */
struct device {
    size_t parent; /* of an instance: where its GPU is among the devices; NO_DEVICE: it is a GPU */
    unsigned index; /* among the node's GPUs, or the GPU's instances */
    char uuid[TEXT], name[TEXT], profile[TEXT], pci_bus_id[TEXT];
    u64 healthy, numa, minor, compute_major, compute_minor, mig, ecc;
    u64 memory_total_mib, memory_reserved_mib, memory_used_mib;
    u64 gpu_percent, memory_percent, encoder_percent, decoder_percent;
    u64 temperature_celsius, memory_temperature_celsius, fan_percent;
    u64 power_milliwatts, power_limit_milliwatts, energy_millijoules;
    u64 graphics_clock_mhz, sm_clock_mhz, memory_clock_mhz, video_clock_mhz, pcie_replays;
    u64 volatile_corrected_errors, volatile_uncorrected_errors;
    u64 aggregate_corrected_errors, aggregate_uncorrected_errors;
    u64 remapped_corrected_rows, remapped_uncorrected_rows, remapping_pending, remapping_failed;
    u64 gpu_instance, compute_instance, slices, multiprocessors;
};

struct process {
    size_t device;
    char kind[TEXT];
    u64 pid, memory_used_mib, sm_percent, memory_percent, encoder_percent, decoder_percent;
};

struct event {
    size_t device;
    char kind[TEXT];
    u64 sequence, xid;
};

/* `fail` and `hang` lines. */
struct fault {
    char function[TEXT], gpu[TEXT];
    double value; /* NVML code, or seconds */
    int hangs;
};

struct state {
    char driver[TEXT], nvml[TEXT];
    u64 cuda;
    struct device *devices;
    struct process *processes;
    struct event *events;
    struct fault *faults;
    size_t device_count, process_count, event_count, fault_count;
};

/* The state as the file says it now. The caller holds `state_lock`; the pointer is good as long as it does.
 * Returns NVML_ERROR_DRIVER_NOT_LOADED when there is no file, NVML_ERROR_UNKNOWN when it is not in order. */
nvmlReturn_t state_load(const struct state **state);
void state_lock(void);
void state_unlock(void);

#endif
