// The values of the files that ./render writes, by name. `overrides` are added to the mixin.
function(overrides={})
  local mixin = (import 'mixin.libsonnet') + overrides;

  // The operator makes the label job of the PodMonitor's namespace and name.
  local onKubernetes = mixin { _config+:: { timewaitExporterSelector: 'job=~".+/timewait-exporter"' } };
  local prometheusRule = {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'PrometheusRule',
    metadata: {
      name: 'timewait-exporter',
      namespace: 'timewait-exporter',
      labels: { 'app.kubernetes.io/name': 'timewait-exporter' },
    },
    spec: { groups: onKubernetes.prometheusAlerts.groups + onKubernetes.prometheusRules.groups },
  };

  local dashboards = if 'grafanaDashboards' in mixin then mixin.grafanaDashboards else {};
  {
    'alerts.yaml': mixin.prometheusAlerts,
    'rules.yaml': mixin.prometheusRules,
    'prometheusrule.yaml': prometheusRule,
  } + { ['dashboards/' + name]: dashboards[name] for name in std.objectFieldsAll(dashboards) }
