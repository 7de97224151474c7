local panels = import 'panels.libsonnet';

{
  _config+:: {
    dashboardTags: ['timewait-mixin'],
    dashboardRefresh: '30s',
    // Where the colour of a usage ratio changes: where the alerts speak, and shortly before connects fail.
    dashboardUsageWarning: 0.8,
    dashboardUsageCritical: 0.95,
  },

  local config = $._config,
  local variables = panels.variables,

  // What all three have in common.
  local common = {
    tags: config.dashboardTags,
    refresh: config.dashboardRefresh,
    links: [{
      type: 'dashboards',
      title: 'TIME-WAIT dashboards',
      tags: config.dashboardTags,
      asDropdown: false,
      includeVars: true,
      keepTime: true,
      targetBlank: false,
      icon: 'external link',
      tooltip: '',
      url: '',
    }],
    annotations: [],
  },

  local kit = {
    runbook(name):: panels.link('Runbook: ' + name, config.runbookURLPattern % name),
    runbookOf(name):: config.runbookURLPattern % name,

    usage: panels.ratioThresholds(config.dashboardUsageWarning, config.dashboardUsageCritical),

    // A metric of a host as a whole, and one of a network namespace. `more` are further matchers.
    ofHost(metric, more='')::
      '%s{job=~"$job", instance=~"$instance"%s}' % [metric, if more == '' then '' else ', ' + more],
    ofNamespace(metric, more=''):: kit.ofHost(metric, 'netns=~"$netns"' + if more == '' then '' else ', ' + more),

    rate(selector):: 'rate(%s[$__rate_interval])' % selector,
    rateOf(metric):: kit.rate(kit.ofNamespace(metric)),

    // The number of ephemeral ports.
    capacity: 'max(%s)' % kit.ofNamespace('timewait_ephemeral_ports'),

    // Entries into TIME-WAIT: the kernel counts those that last at most 4 seconds apart.
    entryRate(by=null)::
      local sum = if by == null then 'sum' else 'sum by (%s) ' % by;
      local of(metric) = '%s(%s)' % [sum, kit.rate(kit.ofNamespace('timewait_netstat_%s_total' % metric))];
      '%s + %s' % [of('tw'), of('tw_killed')],

    // Connects that found no port, by destination, within the dashboard's time range. The first value of a
    // series that begins in it counts, too: rate() and increase() know nothing of it.
    failuresInRange(selector)::
      '(%(s)s unless %(s)s offset $__range) > 0 or increase(%(s)s[$__range]) > 0' % { s: selector },

    noFailures: 'No connect() has failed for want of a port, as far as they are counted.',

    stateColors: [
      panels.inColor(each[0], each[1])
      for each in [
        ['time_wait', 'blue'],
        ['established', 'green'],
        ['close_wait', 'red'],
        ['fin_wait1', 'light-purple'],
        ['fin_wait2', 'purple'],
        ['syn_sent', 'yellow'],
        ['syn_recv', 'light-yellow'],
        ['last_ack', 'orange'],
        ['listen', 'text'],
        ['other', 'text'],
      ]
    ],

    datasource: variables.datasource,
    job: variables.labelValues('job', 'Job', 'timewait_exporter_build_info', 'job') + variables.several,
    instance: variables.labelValues('instance', 'Instance', 'timewait_exporter_build_info{job=~"$job"}', 'instance'),
    netns: variables.labelValues(
      'netns',
      'Network namespace',
      'timewait_ephemeral_ports{job=~"$job", instance=~"$instance"}',
      'netns'
    ),

    // Marks of what happened to the exporter. They are where they happened, whatever the step.
    started: panels.annotation(
      'Exporter started', kit.ofHost('process_start_time_seconds') + ' * 1000', 'blue', 'Exporter started'
    ),
    reloaded: panels.annotation(
      'Configuration read',
      kit.ofHost('timewait_exporter_config_last_reload_success_timestamp_seconds') + ' * 1000',
      'purple',
      'Configuration read'
    ),
    alerts: panels.annotation(
      'Alerts',
      'ALERTS{alertname=~"Timewait.+", alertstate="firing", job=~"$job", instance=~"$instance"}',
      'red',
      '{{alertname}}'
    ) { useValueForTime: false, tagKeys: 'severity' },
  },

  local build(file) = file(kit, common),

  grafanaDashboards+:: {
    'timewait-fleet.json': build(import 'fleet.libsonnet'),
    'timewait-host.json': build(import 'host.libsonnet'),
    'timewait-exporter.json': build(import 'exporter.libsonnet'),
  },
}
