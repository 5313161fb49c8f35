"""Objects of other kinds, and what the table makes of their pods: cases of YAML and one line."""

ROWS: dict[str, tuple[str, str]] = {
    "a pod that nobody owns is alone, and is training": (
        """
name: a
---
name: b
labels: {priorityClassName: build}
""",
        """
a 1 prio 50 | a
b 1 prio 100 kept | b
""",
    ),
    "pods of a Deployment are alone, and are inference": (
        """
{apiVersion: apps/v1, kind: Deployment, name: web, spec: {replicas: 2}}
---
{apiVersion: apps/v1, kind: ReplicaSet, name: web-1, owner: Deployment/web}
---
{name: web-1-a, owner: ReplicaSet/web-1}
---
{name: web-1-b, owner: ReplicaSet/web-1}
""",
        """
web-1-a 1 prio 125 kept | web-1-a
web-1-b 1 prio 125 kept | web-1-b
""",
    ),
    "pods of a ReplicaSet are together, and start with any": (
        """
{apiVersion: apps/v1, kind: ReplicaSet, name: r}
---
{name: a, owner: ReplicaSet/r}
---
{name: b, owner: ReplicaSet/r}
""",
        "r 1 prio 50 | a b",
    ),
    "so are those of a StatefulSet, whose label says its priority": (
        """
{apiVersion: apps/v1, kind: StatefulSet, name: s, labels: {priorityClassName: build}}
---
{name: s-0, owner: StatefulSet/s}
---
{name: s-1, owner: StatefulSet/s, labels: {priorityClassName: inference}}
""",
        "s 1 prio 100 kept | s-0 s-1",
    ),
    "pods of a Job are alone, however many run at a time": (
        """
{apiVersion: batch/v1, kind: Job, name: j, spec: {parallelism: 2, completions: 2}}
---
{name: j-a, owner: Job/j}
---
{name: j-b, owner: Job/j}
""",
        """
j-a 1 prio 50 | j-a
j-b 1 prio 50 | j-b
""",
    ),
    "a CronJob leaves it to the Job, and its label counts": (
        """
{apiVersion: batch/v1, kind: CronJob, name: c, labels: {priorityClassName: build-preemptible}}
---
{apiVersion: batch/v1, kind: Job, name: c-1, owner: CronJob/c}
---
{name: c-1-a, owner: Job/c-1}
""",
        "c-1-a 1 prio 75 | c-1-a",
    ),
    "a RunaiJob's label makes it interactive": (
        """
{apiVersion: run.ai/v1, kind: RunaiJob, name: r, labels: {priorityClassName: build}}
---
{name: r-0-0, owner: RunaiJob/r}
""",
        "r-0-0 1 prio 100 kept | r-0-0",
    ),
    "Spark's driver and executors are together by their label": (
        """
{apiVersion: sparkoperator.k8s.io/v1beta2, kind: SparkApplication, name: pi}
---
{name: pi-driver, owner: SparkApplication/pi, labels: {spark-app-selector: spark-1}}
---
{name: pi-exec-1, owner: Pod/pi-driver, labels: {spark-app-selector: spark-1}}
---
{name: other, labels: {spark-app-selector: spark-2}}
""",
        """
spark-1 1 prio 50 | pi-driver pi-exec-1
spark-2 1 prio 50 | other
""",
    ),
    "a PyTorchJob needs all its replicas, master and workers": (
        """
apiVersion: kubeflow.org/v1
kind: PyTorchJob
name: p
spec: {pytorchReplicaSpecs: {Master: {template: {}}, Worker: {replicas: 2}}}
---
{name: p-master-0, owner: PyTorchJob/p, labels: {training.kubeflow.org/replica-type: master}}
---
{name: p-worker-0, owner: PyTorchJob/p, labels: {training.kubeflow.org/replica-type: worker}}
---
{name: p-worker-1, owner: PyTorchJob/p, labels: {training.kubeflow.org/replica-type: worker}}
""",
        "p 3 prio 50 (master=1 worker=2) | p-master-0:master p-worker-0:worker p-worker-1:worker",
    ),
    "an elastic PyTorchJob starts with fewer, its master among them": (
        """
apiVersion: kubeflow.org/v1
kind: PyTorchJob
name: p
spec: {elasticPolicy: {minReplicas: 2}, pytorchReplicaSpecs: {Master: {replicas: 1}, Worker: {replicas: 4}}}
---
{name: p-worker-0, owner: PyTorchJob/p, labels: {training.kubeflow.org/replica-type: worker}}
""",
        "p 2 prio 50 (master=1 worker=1) | p-worker-0:worker",
    ),
    "what the scheduling policy says goes before the elastic one; so does its class before the pod's": (
        """
apiVersion: kubeflow.org/v1
kind: PyTorchJob
name: p
spec:
  runPolicy: {schedulingPolicy: {minAvailable: 3, priorityClass: urgent}}
  elasticPolicy: {minReplicas: 2}
  pytorchReplicaSpecs: {Worker: {replicas: 4}}
---
{name: w, owner: PyTorchJob/p, spec: {priority: 100, priorityClassName: build},
 labels: {training.kubeflow.org/replica-type: worker}}
""",
        "p 3 prio 90 (worker=3) | w:worker",
    ),
    "a minimum beyond all replicas is kept, so that it waits and says so": (
        """
apiVersion: kubeflow.org/v1
kind: PyTorchJob
name: p
spec: {runPolicy: {schedulingPolicy: {minAvailable: 9}}, pytorchReplicaSpecs: {Master: {}, Worker: {replicas: 2}}}
---
{name: w, owner: PyTorchJob/p, labels: {training.kubeflow.org/replica-type: worker}}
""",
        "p 9 prio 50 (master=1 worker=8) | w:worker",
    ),
    "segments cut the workers into parts that are close": (
        """
apiVersion: kubeflow.org/v1
kind: PyTorchJob
name: p
annotations: {kai.scheduler/topology-preferred-placement: zone}
spec:
  pytorchReplicaSpecs:
    Master: {replicas: 1}
    Worker:
      replicas: 3
      template:
        metadata:
          annotations:
            kai.scheduler/segment-size: "2"
            kai.scheduler/segment-topology-required-placement: rack
            kai.scheduler/topology-required-placement: zone
---
{name: w2, owner: PyTorchJob/p,
 labels: {training.kubeflow.org/replica-type: worker, training.kubeflow.org/replica-index: "2"}}
""",
        "p 4 prio 50@~zone (master=1 worker@zone (worker-0=2@rack worker-1=1@rack)) | w2:worker-1",
    ),
    "a TFJob is one set whose chief goes first": (
        """
apiVersion: kubeflow.org/v1
kind: TFJob
name: t
spec: {tfReplicaSpecs: {Chief: {}, PS: {replicas: 2}, Worker: {replicas: 3}}}
---
{name: chief, owner: TFJob/t, labels: {training.kubeflow.org/job-role: master}}
---
{name: w, owner: TFJob/t, labels: {kai.scheduler/task-priority: "7"}}
""",
        "t 6 prio 50 | chief^first w^7",
    ),
    "an XGBoostJob and a JAXJob count their replicas": (
        """
{apiVersion: kubeflow.org/v1, kind: XGBoostJob, name: x, spec: {xgbReplicaSpecs: {Master: {}, Worker: {replicas: 2}}}}
---
{apiVersion: kubeflow.org/v1, kind: JAXJob, name: j, spec: {jaxReplicaSpecs: {Worker: {replicas: 2}}}}
---
{name: a, owner: XGBoostJob/x}
---
{name: b, owner: JAXJob/j}
""",
        """
j 2 prio 50 | b
x 3 prio 50 | a
""",
    ),
    "an MPIJob's launcher counts, through its Job": (
        """
apiVersion: kubeflow.org/v2beta1
kind: MPIJob
name: m
spec: {mpiReplicaSpecs: {Launcher: {}, Worker: {replicas: 2}}}
---
{apiVersion: batch/v1, kind: Job, name: m-launcher, owner: MPIJob/m}
---
{name: launcher, owner: Job/m-launcher, labels: {training.kubeflow.org/job-role: launcher}}
---
{name: w, owner: MPIJob/m, labels: {training.kubeflow.org/job-role: worker}}
""",
        "m 3 prio 50 | launcher^first w",
    ),
    "a launcher that waits for its workers does not count until it exists": (
        """
apiVersion: kubeflow.org/v2beta1
kind: MPIJob
name: m
spec: {launcherCreationPolicy: WaitForWorkersReady, mpiReplicaSpecs: {Launcher: {}, Worker: {replicas: 2}}}
---
{name: w, owner: MPIJob/m, labels: {training.kubeflow.org/job-role: worker}}
""",
        "m 2 prio 50 | w",
    ),
    "and does from then on": (
        """
apiVersion: kubeflow.org/v2beta1
kind: MPIJob
name: m
spec: {launcherCreationPolicy: WaitForWorkersReady, mpiReplicaSpecs: {Launcher: {}, Worker: {replicas: 2}}}
---
{name: w, owner: MPIJob/m, labels: {training.kubeflow.org/job-role: worker}}
---
{name: launcher, owner: MPIJob/m, labels: {training.kubeflow.org/job-role: launcher}}
""",
        "m 3 prio 50 | launcher^first w",
    ),
    "a Notebook is interactive": (
        """
{apiVersion: kubeflow.org/v1, kind: Notebook, name: n}
---
{apiVersion: apps/v1, kind: StatefulSet, name: n, owner: Notebook/n}
---
{name: n-0, owner: StatefulSet/n}
""",
        "n 1 prio 100 kept | n-0",
    ),
    "a RayCluster has a head and groups of workers, each as close as it says": (
        """
apiVersion: ray.io/v1
kind: RayCluster
name: r
labels: {ray.io/priority-class-name: build}
spec:
  headGroupSpec: {template: {metadata: {annotations: {kai.scheduler/topology-required-placement: zone}}}}
  workerGroupSpecs:
    - {groupName: big, replicas: 2, minReplicas: 0, numOfHosts: 2}
    - groupName: small
      replicas: 5
      minReplicas: 1
      template: {metadata: {annotations: {kai.scheduler/topology-preferred-placement: rack}}}
---
{name: head, owner: RayCluster/r, labels: {ray.io/node-type: head, ray.io/group: headgroup}}
---
{name: b, owner: RayCluster/r, labels: {ray.io/node-type: worker, ray.io/group: big}}
---
{name: s, owner: RayCluster/r, labels: {ray.io/node-type: worker, ray.io/group: small}}
""",
        "r 6 prio 100 kept (headgroup=1@zone big=4 small=1@~rack) | b:big head:headgroup s:small",
    ),
    "a RayJob leaves it to its cluster, and its label counts; its submitter is alone": (
        """
{apiVersion: ray.io/v1, kind: RayJob, name: j, labels: {priorityClassName: build-preemptible}}
---
{apiVersion: ray.io/v1, kind: RayCluster, name: c, owner: RayJob/j, spec: {workerGroupSpecs: []}}
---
{apiVersion: batch/v1, kind: Job, name: s, owner: RayJob/j}
---
{name: head, owner: RayCluster/c, labels: {ray.io/node-type: head}}
---
{name: submitter, owner: Job/s}
""",
        """
c 1 prio 75 (headgroup=1) | head:headgroup
submitter 1 prio 75 | submitter
""",
    ),
    "the sets of a JobSet that starts in order are apart": (
        """
apiVersion: jobset.x-k8s.io/v1alpha2
kind: JobSet
name: s
spec:
  replicatedJobs:
    - {name: driver, template: {spec: {}}}
    - {name: workers, replicas: 2, template: {spec: {parallelism: 4, completions: 3}}}
---
{name: d, owner: JobSet/s, labels: {jobset.sigs.k8s.io/replicatedjob-name: driver}}
---
{apiVersion: batch/v1, kind: Job, name: s-workers-0, owner: JobSet/s}
---
{name: w, owner: Job/s-workers-0, labels: {jobset.sigs.k8s.io/replicatedjob-name: workers}}
""",
        """
s-driver 1 prio 50 (driver=1) | d:driver
s-workers 6 prio 50 (workers=6) | w:workers
""",
    ),
    "those of one that starts in any order are together": (
        """
apiVersion: jobset.x-k8s.io/v1alpha2
kind: JobSet
name: s
spec:
  startupPolicy: {startupPolicyOrder: AnyOrder}
  replicatedJobs:
    - {name: driver, template: {spec: {}}}
    - {name: workers, replicas: 2, template: {spec: {parallelism: 2}}}
---
{name: d, owner: JobSet/s, labels: {jobset.sigs.k8s.io/replicatedjob-name: driver}}
---
{name: w, owner: JobSet/s, labels: {jobset.sigs.k8s.io/replicatedjob-name: workers}}
""",
        "s 5 prio 50 (driver=1 workers=4) | d:driver w:workers",
    ),
    "each group of a LeaderWorkerSet is a job, also where workers are owned by their leader": (
        """
apiVersion: leaderworkerset.x-k8s.io/v1
kind: LeaderWorkerSet
name: l
spec:
  replicas: 2
  leaderWorkerTemplate:
    size: 3
    workerTemplate: {metadata: {annotations: {kai.scheduler/topology-required-placement: rack}}}
---
{apiVersion: apps/v1, kind: StatefulSet, name: l, owner: LeaderWorkerSet/l}
---
name: l-0
owner: StatefulSet/l
labels: {leaderworkerset.sigs.k8s.io/group-index: "0", leaderworkerset.sigs.k8s.io/worker-index: "0"}
---
{apiVersion: apps/v1, kind: StatefulSet, name: l-0, owner: Pod/l-0}
---
name: l-0-1
owner: StatefulSet/l-0
labels: {leaderworkerset.sigs.k8s.io/group-index: "0", leaderworkerset.sigs.k8s.io/worker-index: "1"}
---
name: l-1
owner: StatefulSet/l
labels: {leaderworkerset.sigs.k8s.io/group-index: "1", leaderworkerset.sigs.k8s.io/worker-index: "0"}
""",
        """
l-0 3 prio 50 (leader=1 workers=2@rack) | l-0-1:workers l-0:leader
l-1 3 prio 50 (leader=1 workers=2@rack) | l-1:leader
""",
    ),
    "a leader that goes first is alone until a worker is there": (
        """
apiVersion: leaderworkerset.x-k8s.io/v1
kind: LeaderWorkerSet
name: l
spec: {startupPolicy: LeaderReady, leaderWorkerTemplate: {size: 3}}
---
name: l-0
owner: LeaderWorkerSet/l
labels: {leaderworkerset.sigs.k8s.io/group-index: "0", leaderworkerset.sigs.k8s.io/worker-index: "0"}
---
name: l-1
owner: LeaderWorkerSet/l
labels: {leaderworkerset.sigs.k8s.io/group-index: "1", leaderworkerset.sigs.k8s.io/worker-index: "0"}
---
name: l-1-1
owner: LeaderWorkerSet/l
labels: {leaderworkerset.sigs.k8s.io/group-index: "1", leaderworkerset.sigs.k8s.io/worker-index: "1"}
""",
        """
l-0 1 prio 50 (leader=1 workers=0) | l-0:leader
l-1 3 prio 50 (leader=1 workers=2) | l-1-1:workers l-1:leader
""",
    ),
    "Grove's gang is named by a label, and has parts that are closer": (
        """
{apiVersion: grove.io/v1alpha1, kind: PodCliqueSet, name: g, labels: {priorityClassName: build}}
---
{apiVersion: grove.io/v1alpha1, kind: PodClique, name: g-0-decode, owner: PodCliqueSet/g}
---
apiVersion: scheduler.grove.io/v1alpha1
kind: PodGang
name: g-0
spec:
  priorityClassName: inference
  topologyConstraint: {packConstraint: {required: zone}}
  topologyConstraintGroupConfigs:
    - name: near
      podGroupNames: [g-0-prefill, g-0-decode]
      topologyConstraint: {packConstraint: {preferred: rack}}
  podgroups:
    - {name: g-0-router, minReplicas: 1}
    - {name: g-0-prefill, minReplicas: 2}
    - {name: g-0-decode, minReplicas: 3, topologyConstraint: {packConstraint: {required: host}}}
---
{name: d, owner: PodClique/g-0-decode, labels: {grove.io/podgang: g-0, grove.io/podclique: g-0-decode}}
""",
        "g-0 6 prio 100 kept@zone (g-0-router=1 near@~rack (g-0-prefill=2 g-0-decode=3@host)) | d:g-0-decode",
    ),
    "a revision of a Knative Service needs its minimal scale": (
        """
{apiVersion: serving.knative.dev/v1, kind: Service, name: k}
---
{apiVersion: serving.knative.dev/v1, kind: Configuration, name: k, owner: Service/k}
---
apiVersion: serving.knative.dev/v1
kind: Revision
name: k-1
owner: Configuration/k
annotations: {autoscaling.knative.dev/min-scale: "2"}
---
{apiVersion: apps/v1, kind: Deployment, name: k-1, owner: Revision/k-1}
---
{apiVersion: apps/v1, kind: ReplicaSet, name: k-1-x, owner: Deployment/k-1}
---
{name: a, owner: ReplicaSet/k-1-x}
---
{name: b, owner: ReplicaSet/k-1-x}
""",
        "k-1 2 prio 125 kept | a b",
    ),
    "kinds with a default class of their own": (
        """
{apiVersion: egx.nvidia.io/v1, kind: SPOTRequest, name: spot}
---
{apiVersion: machinelearning.seldon.io/v1, kind: SeldonDeployment, name: seldon}
---
{apiVersion: kubevirt.io/v1, kind: VirtualMachineInstance, name: machine}
---
{apiVersion: workspace.devfile.io/v1alpha2, kind: DevWorkspace, name: space}
---
{apiVersion: amlarc.azureml.com/v1alpha1, kind: AmlJob, name: aml}
---
{name: a, owner: SPOTRequest/spot}
---
{name: b, owner: SeldonDeployment/seldon}
---
{name: c, owner: VirtualMachineInstance/machine}
---
{name: d, owner: DevWorkspace/space}
---
{name: e, owner: AmlJob/aml}
""",
        """
aml 1 prio 50 | e
machine 1 prio 50 | c
seldon 1 prio 50 | b
space 1 prio 50 | d
spot 1 prio 125 kept | a
""",
    ),
    "pipelines are together, steps of a workflow are not": (
        """
{apiVersion: tekton.dev/v1, kind: PipelineRun, name: pipe}
---
{apiVersion: tekton.dev/v1, kind: TaskRun, name: task, owner: PipelineRun/pipe}
---
{name: a, owner: TaskRun/task}
---
{apiVersion: argoproj.io/v1alpha1, kind: Workflow, name: flow, labels: {priorityClassName: build}}
---
{name: b, owner: Workflow/flow}
---
{name: c, owner: Workflow/flow}
---
{apiVersion: kubeflow.org/v1beta1, kind: ScheduledWorkflow, name: nightly}
---
{apiVersion: argoproj.io/v1alpha1, kind: Workflow, name: night, owner: ScheduledWorkflow/nightly}
---
{name: d, owner: Workflow/night}
""",
        """
b 1 prio 100 kept | b
c 1 prio 100 kept | c
nightly 1 prio 50 | d
pipe 1 prio 50 | a
""",
    ),
    "a TrainJob and a DynamoGraphDeployment leave it to what is below": (
        """
{apiVersion: trainer.kubeflow.org/v1alpha1, kind: TrainJob, name: t, labels: {priorityClassName: build}}
---
apiVersion: jobset.x-k8s.io/v1alpha2
kind: JobSet
name: t
owner: TrainJob/t
spec:
  startupPolicy: {startupPolicyOrder: AnyOrder}
  replicatedJobs: [{name: node, template: {spec: {parallelism: 2}}}]
---
{name: a, owner: JobSet/t, labels: {jobset.sigs.k8s.io/replicatedjob-name: node}}
---
{apiVersion: nvidia.com/v1alpha1, kind: DynamoGraphDeployment, name: d}
---
{apiVersion: apps/v1, kind: Deployment, name: d, owner: DynamoGraphDeployment/d}
---
{apiVersion: apps/v1, kind: ReplicaSet, name: d, owner: Deployment/d}
---
{name: b, owner: ReplicaSet/d}
""",
        """
b 1 prio 125 kept | b
t 2 prio 100 kept (node=2) | a:node
""",
    ),
    "a kind that nobody knows is one job that starts with any pod": (
        """
{name: a, owner: Mystery/m}
---
{name: b, owner: Mystery/m}
""",
        "m 1 prio 50 | a b",
    ),
    "below such a kind those count that are known": (
        """
apiVersion: kubeflow.org/v1
kind: PyTorchJob
name: p
owner: Mystery/m
spec: {pytorchReplicaSpecs: {Worker: {replicas: 2}}}
---
{name: a, owner: PyTorchJob/p, labels: {training.kubeflow.org/replica-type: worker}}
""",
        "p 2 prio 50 (worker=2) | a:worker",
    ),
    "labels say whether it may be stopped, and where it runs; classes that are not there are ignored": (
        """
apiVersion: apps/v1
kind: StatefulSet
name: s
labels: {kai.scheduler/preemptibility: non-preemptible, priorityClassName: nonsense}
---
{name: s-0, owner: StatefulSet/s, labels: {priorityClassName: build-preemptible}}
""",
        "s 1 prio 75 kept | s-0",
    ),
    "or whether what it has beyond its minimum may be": (
        """
apiVersion: kubeflow.org/v1
kind: PyTorchJob
name: p
labels: {kai.scheduler/preemptibility: semi-preemptible}
spec: {elasticPolicy: {minReplicas: 1}, pytorchReplicaSpecs: {Worker: {replicas: 2}}}
---
{name: a, owner: PyTorchJob/p, labels: {training.kubeflow.org/replica-type: worker}}
""",
        "p 1 prio 50 minimum kept (worker=1) | a:worker",
    ),
    "how close pods are to be stands in the owner's annotations": (
        """
apiVersion: apps/v1
kind: StatefulSet
name: s
annotations: {kai.scheduler/topology-required-placement: zone, kai.scheduler/topology-preferred-placement: rack}
---
{name: s-0, owner: StatefulSet/s}
""",
        "s 1 prio 50@zone~rack (default=1) | s-0",
    ),
    "or in those of the pods, where the owner says nothing and they are all alike": (
        """
{apiVersion: apps/v1, kind: StatefulSet, name: s}
---
{name: s-0, owner: StatefulSet/s, annotations: {kai.scheduler/topology-required-placement: rack}}
---
{name: u-0, owner: Unheard/u, annotations: {kai.scheduler/topology-preferred-placement: rack}}
""",
        "s 1 prio 50@rack (default=1) | s-0\nu 1 prio 50@~rack (default=1) | u-0",
    ),
    "what is scheduled pod by pod is close to nothing but itself, and yet follows its owner": (
        """
{apiVersion: batch/v1, kind: Job, name: j, annotations: {kai.scheduler/topology-required-placement: rack}}
---
{name: j-0, owner: Job/j}
---
{name: alone, annotations: {kai.scheduler/topology-required-placement: host}}
""",
        "alone 1 prio 50@host (default=1) | alone\nj-0 1 prio 50@rack (default=1) | j-0",
    ),
    "pods that name their gang say how close it is to be": (
        """
name: a
annotations: {pod-group-name: g, aliquot.dev/min-member: "2", kai.scheduler/topology-required-placement: rack}
---
name: b
annotations: {pod-group-name: g, aliquot.dev/min-member: "2", kai.scheduler/topology-required-placement: rack}
""",
        "g 2 prio 50@rack (default=2) | a b",
    ),
}
