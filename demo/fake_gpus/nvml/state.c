/* Reads the state file, again whenever it was replaced. */
#include "state.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct state current;
static struct stat seen; /* the file that `current` is of */
static nvmlReturn_t outcome = NVML_ERROR_UNINITIALIZED;

void state_lock(void) { pthread_mutex_lock(&mutex); }
void state_unlock(void) { pthread_mutex_unlock(&mutex); }

enum shape { WORDS, NUMBER };
struct key {
    const char *name;
    size_t offset;
    enum shape shape;
};
#define TEXT_OF(type, field) {#field, offsetof(struct type, field), WORDS}
#define NUMBER_OF(type, field) {#field, offsetof(struct type, field), NUMBER}

static const struct key NODE_KEYS[] = {TEXT_OF(state, driver), TEXT_OF(state, nvml), NUMBER_OF(state, cuda), {0}};
static const struct key DEVICE_KEYS[] = {
    TEXT_OF(device, name), TEXT_OF(device, profile), TEXT_OF(device, pci_bus_id),
    NUMBER_OF(device, healthy), NUMBER_OF(device, numa), NUMBER_OF(device, minor),
    NUMBER_OF(device, compute_major), NUMBER_OF(device, compute_minor), NUMBER_OF(device, mig), NUMBER_OF(device, ecc),
    NUMBER_OF(device, memory_total_mib), NUMBER_OF(device, memory_reserved_mib), NUMBER_OF(device, memory_used_mib),
    NUMBER_OF(device, gpu_percent), NUMBER_OF(device, memory_percent),
    NUMBER_OF(device, encoder_percent), NUMBER_OF(device, decoder_percent),
    NUMBER_OF(device, temperature_celsius), NUMBER_OF(device, memory_temperature_celsius),
    NUMBER_OF(device, fan_percent), NUMBER_OF(device, power_milliwatts), NUMBER_OF(device, power_limit_milliwatts),
    NUMBER_OF(device, energy_millijoules), NUMBER_OF(device, graphics_clock_mhz), NUMBER_OF(device, sm_clock_mhz),
    NUMBER_OF(device, memory_clock_mhz), NUMBER_OF(device, video_clock_mhz), NUMBER_OF(device, pcie_replays),
    NUMBER_OF(device, volatile_corrected_errors), NUMBER_OF(device, volatile_uncorrected_errors),
    NUMBER_OF(device, aggregate_corrected_errors), NUMBER_OF(device, aggregate_uncorrected_errors),
    NUMBER_OF(device, remapped_corrected_rows), NUMBER_OF(device, remapped_uncorrected_rows),
    NUMBER_OF(device, remapping_pending), NUMBER_OF(device, remapping_failed),
    NUMBER_OF(device, gpu_instance), NUMBER_OF(device, compute_instance),
    NUMBER_OF(device, slices), NUMBER_OF(device, multiprocessors), {0}};
static const struct key PROCESS_KEYS[] = {
    TEXT_OF(process, kind), NUMBER_OF(process, memory_used_mib), NUMBER_OF(process, sm_percent),
    NUMBER_OF(process, memory_percent), NUMBER_OF(process, encoder_percent), NUMBER_OF(process, decoder_percent), {0}};
static const struct key EVENT_KEYS[] = {TEXT_OF(event, kind), NUMBER_OF(event, xid), {0}};

/* Where the next line belongs. */
struct cursor {
    void *part;
    const struct key *keys;
    size_t gpu, device; /* the present GPU; the present GPU or instance */
};

static int number(const char *words, u64 *value) {
    char *end;
    if (!strcmp(words, "unsupported")) *value = UNSUPPORTED;
    else if (!strcmp(words, "yes")) *value = 1;
    else if (!strcmp(words, "no")) *value = 0;
    else {
        *value = strtoull(words, &end, 10);
        return *end == '\0';
    }
    return 1;
}

static int text(const char *words, char out[TEXT]) {
    if (strlen(words) >= TEXT) return 0;
    strcpy(out, strcmp(words, "unsupported") ? words : "");
    return 1;
}

/* One element more at the end of a list; everything in it is unsupported, and its texts are empty. */
static void *append(void **list, size_t *count, size_t size, const struct key *keys) {
    if ((*count & (*count - 1)) == 0) { /* room for the next power of two */
        void *grown = realloc(*list, size * (*count ? *count * 2 : 1));
        if (!grown) return NULL;
        *list = grown;
    }
    char *part = (char *)*list + size * (*count)++;
    memset(part, 0, size);
    for (; keys && keys->name; keys++)
        if (keys->shape == NUMBER) *(u64 *)(part + keys->offset) = UNSUPPORTED;
    return part;
}
#define APPEND(s, list, count, keys) append((void **)&(s)->list, &(s)->count, sizeof *(s)->list, keys)

static int begin_device(struct state *s, struct cursor *at, size_t parent, const char *uuid) {
    unsigned index = 0;
    for (size_t i = 0; i < s->device_count; i++) index += s->devices[i].parent == parent;
    struct device *device = APPEND(s, devices, device_count, DEVICE_KEYS);
    if (!device) return 0;
    device->parent = parent;
    device->index = index;
    device->memory_reserved_mib = device->memory_used_mib = 0;
    at->device = s->device_count - 1;
    if (parent == NO_DEVICE) at->gpu = at->device;
    at->part = device;
    at->keys = DEVICE_KEYS;
    return text(uuid, device->uuid);
}

static int begin_process(struct state *s, struct cursor *at, const char *pid) {
    struct process *process = APPEND(s, processes, process_count, PROCESS_KEYS);
    if (!process || at->device == NO_DEVICE) return 0;
    process->device = at->device;
    strcpy(process->kind, "compute");
    at->part = process;
    at->keys = PROCESS_KEYS;
    return number(pid, &process->pid);
}

static int begin_event(struct state *s, struct cursor *at, const char *sequence) {
    struct event *event = APPEND(s, events, event_count, EVENT_KEYS);
    if (!event || at->device == NO_DEVICE) return 0;
    event->device = at->device;
    event->xid = 0;
    strcpy(event->kind, "xid");
    at->part = event;
    at->keys = EVENT_KEYS;
    return number(sequence, &event->sequence);
}

static int fault(struct state *s, const char *words, int hangs) {
    struct fault *fault = APPEND(s, faults, fault_count, NULL);
    char target[2 * TEXT];
    if (!fault || sscanf(words, "%191s %lf", target, &fault->value) != 2) return 0;
    char *colon = strchr(target, ':');
    if (colon) *colon = '\0';
    fault->hangs = hangs;
    return text(target, fault->function) && text(colon ? colon + 1 : "", fault->gpu);
}

static int assign(struct cursor *at, const char *key, const char *words) {
    for (const struct key *k = at->keys; k->name; k++)
        if (!strcmp(k->name, key)) {
            char *field = (char *)at->part + k->offset;
            return k->shape == NUMBER ? number(words, (u64 *)field) : text(words, field);
        }
    return 0;
}

static int take(struct state *s, struct cursor *at, char *line) {
    line += strspn(line, " \t");
    for (size_t end = strlen(line); end && strchr(" \t\r\n", line[end - 1]);) line[--end] = '\0';
    if (*line == '\0' || *line == '#') return 1;
    char *words = strchr(line, ' ');
    if (!words) return 0;
    *words++ = '\0';
    words += strspn(words, " \t");
    if (!strcmp(line, "gpu")) return begin_device(s, at, NO_DEVICE, words);
    if (!strcmp(line, "instance")) return at->gpu != NO_DEVICE && begin_device(s, at, at->gpu, words);
    if (!strcmp(line, "process")) return begin_process(s, at, words);
    if (!strcmp(line, "event")) return begin_event(s, at, words);
    if (!strcmp(line, "fail")) return fault(s, words, 0);
    if (!strcmp(line, "hang")) return fault(s, words, 1);
    return assign(at, line, words);
}

static void discard(struct state *s) {
    free(s->devices);
    free(s->processes);
    free(s->events);
    free(s->faults);
    memset(s, 0, sizeof *s);
}

static nvmlReturn_t parse(FILE *file, const char *path) {
    struct cursor at = {&current, NODE_KEYS, NO_DEVICE, NO_DEVICE};
    char *line = NULL;
    size_t room = 0;
    int number = 0, right = 1;
    strcpy(current.driver, "580.95.05"); /* as in NodeState */
    strcpy(current.nvml, "13.580.95.05");
    current.cuda = 13000;
    while (right && getline(&line, &room, file) > 0) {
        number++;
        right = take(&current, &at, line);
    }
    if (!right) fprintf(stderr, "fake NVML: %s: line %d is not in order (see docs/fake-gpus.md)\n", path, number);
    free(line);
    return right ? NVML_SUCCESS : NVML_ERROR_UNKNOWN;
}

nvmlReturn_t state_load(const struct state **state) {
    const char *path = getenv("FAKE_NVML_STATE");
    struct stat now;
    if (!path || !*path) path = "/run/fake-nvml/state";
    *state = &current;
    if (stat(path, &now)) return errno == ENOENT ? NVML_ERROR_DRIVER_NOT_LOADED : NVML_ERROR_UNKNOWN;
    if (outcome != NVML_ERROR_UNINITIALIZED && now.st_ino == seen.st_ino && now.st_dev == seen.st_dev &&
        now.st_size == seen.st_size && !memcmp(&now.st_mtim, &seen.st_mtim, sizeof now.st_mtim))
        return outcome;
    FILE *file = fopen(path, "re");
    if (!file) return errno == ENOENT ? NVML_ERROR_DRIVER_NOT_LOADED : NVML_ERROR_UNKNOWN;
    fstat(fileno(file), &seen); /* of the very file that is read, which may have been replaced since `stat` */
    discard(&current);
    outcome = parse(file, path);
    fclose(file);
    return outcome;
}
