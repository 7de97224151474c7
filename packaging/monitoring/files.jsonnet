// What ./render writes: contents by name. `overrides` are added to the mixin.
function(overrides={})
  local mixin = (import 'mixin.libsonnet') + overrides;
  local header = '# Made by packaging/monitoring/render.\n';
  local yaml(value) = header + std.manifestYamlDoc(value, indent_array_in_object=true, quote_keys=false) + '\n';

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
    'alerts.yaml': yaml(mixin.prometheusAlerts),
    'rules.yaml': yaml(mixin.prometheusRules),
    'prometheusrule.yaml': yaml(prometheusRule),
  } + {
    ['dashboards/' + name]: std.manifestJsonEx(dashboards[name], '  ') + '\n'
    for name in std.objectFieldsAll(dashboards)
  }
