// Checks rendered manifests against the published schemas of their kinds, and what no schema knows: that the
// parts fit each other and that a variant has the privileges it says and no others.
// Usage: node validate.mjs --metrics=DOCUMENTATION --rules=FILE VARIANT=FILE...
// VARIANT is base or capabilities; the alerting rules are written to the file of --rules, for promtool.

import { readFileSync, writeFileSync } from "node:fs";
import { parseAllDocuments, stringify } from "yaml";
import { Namespace } from "kubernetes-models/v1";
import { DaemonSet } from "kubernetes-models/apps/v1";
import { PodMonitor, PrometheusRule } from "@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1";

const MODELS = {
  "v1 Namespace": Namespace,
  "apps/v1 DaemonSet": DaemonSet,
  "monitoring.coreos.com/v1 PodMonitor": PodMonitor,
  "monitoring.coreos.com/v1 PrometheusRule": PrometheusRule,
};

const PRIVILEGES = {
  base: { user: 65534, hostPID: undefined, added: [], mounts: [] },
  capabilities: { user: 0, hostPID: true, added: ["PERFMON"], mounts: ["/sys/kernel/tracing"] },
};

function readManifests(file) {
  return parseAllDocuments(readFileSync(file, "utf8")).map((document) => {
    if (document.errors.length > 0) throw new Error(`${file}: ${document.errors[0].message}`);
    return document.toJS();
  });
}

// A view of a value that strikes each field off `unread` when it is looked at.
function watched(value, path, unread) {
  if (value === null || typeof value !== "object") return value;
  const fields = new Map(Object.keys(value).map((key) => [key, `${path}/${key}`]));
  for (const field of fields.values()) unread.add(field);
  const views = new Map([...fields].map(([key, field]) => [key, watched(value[key], field, unread)]));
  return new Proxy(value, {
    get(target, key) {
      unread.delete(fields.get(key));
      return views.has(key) ? views.get(key) : target[key];
    },
  });
}

// What the schema of its kind has against a manifest; nothing if it is sound. The published schemas let pass
// fields that they do not know, but do not look at them.
function schemaProblem(manifest) {
  const kind = `${manifest.apiVersion} ${manifest.kind}`;
  const Model = MODELS[kind];
  if (Model === undefined) return `${kind}: no schema for this kind`;
  const name = `${kind} ${manifest.metadata?.name}`;
  const unread = new Set();
  const model = new Model(manifest);
  for (const key of Object.keys(manifest)) model[key] = watched(manifest[key], key, unread);
  try {
    model.validate();
  } catch (error) {
    return `${name}: ${error.message}`;
  }
  return unread.size > 0 ? `${name}: unknown fields: ${[...unread].join(", ")}` : undefined;
}

function* differences(what, found, expected) {
  const [left, right] = [JSON.stringify(found), JSON.stringify(expected)];
  if (left !== right) yield `${what}: found ${left}, expected ${right}`;
}

function* privilegeProblems(pod, allowed) {
  const [container] = pod.containers;
  const context = container.securityContext;
  yield* differences("containers", pod.containers.length, 1);
  yield* differences("hostNetwork", pod.hostNetwork, true);
  yield* differences("hostPID", pod.hostPID, allowed.hostPID);
  yield* differences("hostIPC", pod.hostIPC, undefined);
  yield* differences("automountServiceAccountToken", pod.automountServiceAccountToken, false);
  yield* differences("runAsUser", pod.securityContext.runAsUser, allowed.user);
  yield* differences("runAsNonRoot", pod.securityContext.runAsNonRoot, allowed.user !== 0);
  yield* differences("seccompProfile", pod.securityContext.seccompProfile, { type: "RuntimeDefault" });
  yield* differences("privileged", context.privileged, undefined);
  yield* differences("allowPrivilegeEscalation", context.allowPrivilegeEscalation, false);
  yield* differences("readOnlyRootFilesystem", context.readOnlyRootFilesystem, true);
  yield* differences("capabilities dropped", context.capabilities.drop, ["ALL"]);
  yield* differences("capabilities added", context.capabilities.add ?? [], allowed.added);
  const mounts = container.volumeMounts ?? [];
  yield* differences("mounts", mounts.map((mount) => mount.mountPath), allowed.mounts);
  yield* differences("writable mounts", mounts.filter((mount) => !mount.readOnly), []);
}

function* fitProblems(daemonSet, podMonitor) {
  const labels = daemonSet.spec.template.metadata.labels;
  const ports = daemonSet.spec.template.spec.containers[0].ports.map((port) => port.name);
  const selectors = [daemonSet.spec.selector.matchLabels, podMonitor.spec.selector.matchLabels];
  for (const [label, value] of selectors.flatMap(Object.entries)) {
    yield* differences(`the pods' label ${label}`, labels[label], value);
  }
  yield* differences("namespaces", podMonitor.metadata.namespace, daemonSet.metadata.namespace);
  for (const { port } of podMonitor.spec.podMetricsEndpoints) {
    if (!ports.includes(port)) yield `PodMonitor: the pods have no port ${port}`;
  }
}

// The metrics of the expressions that the documentation does not have.
function* unknownMetrics(rules) {
  for (const rule of rules.spec.groups.flatMap((group) => group.rules)) {
    for (const [metric] of rule.expr.matchAll(/(?<![\w:])timewait_\w+/g)) {
      if (!documentation.includes(`| ${metric} |`)) yield `${rule.alert ?? rule.record}: no ${metric} is documented`;
    }
  }
}

function problemsOf(variant, manifests) {
  const problems = manifests.map(schemaProblem).filter((problem) => problem !== undefined);
  if (problems.length > 0) return problems;
  const byKind = Object.fromEntries(manifests.map((manifest) => [manifest.kind, manifest]));
  for (const kind of ["Namespace", "DaemonSet", "PodMonitor", "PrometheusRule"]) {
    if (byKind[kind] === undefined) problems.push(`${kind}: missing`);
  }
  if (problems.length > 0) return problems;
  return [
    ...privilegeProblems(byKind.DaemonSet.spec.template.spec, PRIVILEGES[variant]),
    ...fitProblems(byKind.DaemonSet, byKind.PodMonitor),
    ...unknownMetrics(byKind.PrometheusRule),
  ];
}

const pod = (all) => all.DaemonSet.spec.template.spec;
const container = (all) => pod(all).containers[0];
const endpoint = (all) => all.PodMonitor.spec.podMetricsEndpoints[0];
const alert = (all) => all.PrometheusRule.spec.groups[0].rules[0];

// What each of these does to a good variant has to be found, or the checks above are worth nothing.
const DAMAGES = {
  "a number where a text belongs": (all) => { container(all).image = 7; },
  "a text where a number belongs": (all) => { container(all).ports[0].containerPort = "x"; },
  "a text where a list belongs": (all) => { all.PodMonitor.spec.podMetricsEndpoints = "metrics"; },
  "a field that does not exist": (all) => { pod(all).hostNetworks = true; },
  "a field in the wrong place": (all) => { endpoint(all).targetLabel = "instance"; },
  "a required field that is missing": (all) => { delete all.DaemonSet.spec.selector; },
  "a rule without expression": (all) => { delete alert(all).expr; },
  "a port that no pod has": (all) => { endpoint(all).port = "web"; },
  "a metric that does not exist": (all) => { alert(all).expr = "timewait_nonesuch > 0"; },
  "one more capability": (all) => { container(all).securityContext.capabilities.add = ["SYS_ADMIN"]; },
  "a root file system that may be written": (all) => {
    container(all).securityContext.readOnlyRootFilesystem = false;
  },
};

function missedDamages(variant, manifests) {
  return Object.entries(DAMAGES).flatMap(([what, damage]) => {
    const damaged = structuredClone(manifests);
    damage(Object.fromEntries(damaged.map((manifest) => [manifest.kind, manifest])));
    const [problem] = problemsOf(variant, damaged);
    if (problem !== undefined) console.log(`${variant}: found ${what}: ${problem.split("\n")[0]}`);
    return problem === undefined ? [`${what} is not found`] : [];
  });
}

const options = Object.fromEntries(process.argv.slice(2).map((argument) => argument.split("=", 2)));
const { "--metrics": metricsFile, "--rules": rulesFile, ...variants } = options;
const documentation = readFileSync(metricsFile, "utf8");
let failed = Object.keys(variants).length === 0;
for (const [variant, file] of Object.entries(variants)) {
  const manifests = readManifests(file);
  const sound = problemsOf(variant, manifests);
  const problems = sound.length > 0 ? sound : missedDamages(variant, manifests);
  for (const problem of problems) console.error(`FAILED: ${variant}: ${problem}`);
  failed ||= problems.length > 0;
  if (problems.length === 0) console.log(`${variant}: ${manifests.length} manifests are sound`);
  const { groups } = manifests.find((manifest) => manifest.kind === "PrometheusRule")?.spec ?? {};
  writeFileSync(rulesFile, stringify({ groups }));
}
process.exit(failed ? 1 : 0);
