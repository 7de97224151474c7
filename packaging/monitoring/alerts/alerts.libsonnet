// prometheusAlerts: a group for each file, so that a slow expression does not hold up the others.
{
  local config = self._config,
  local group(name, rules) = { name: name, rules: rules(config) },

  prometheusAlerts+:: {
    groups+: [
      group('timewait-connect', import 'connect.libsonnet'),
      group('timewait-reuse', import 'reuse.libsonnet'),
      group('timewait-ports', import 'ports.libsonnet'),
      group('timewait-states', import 'states.libsonnet'),
      group('timewait-exporter', import 'exporter.libsonnet'),
    ],
  },
}
