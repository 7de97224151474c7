local promql = import '../promql.libsonnet';

// An alerting rule with what _config has for that name. The description is written over several lines; what a query
// adds to it are sentences that begin with a space.
function(config, name, expr, summary, description, queried='', dashboard='timewait-host')
  local settings = config.alerts[name];
  local query = 'var-job={{ $labels.job | urlquery }}&var-instance={{ $labels.instance | urlquery }}';
  {
    alert: name,
    expr: promql.chomp(expr),
    labels: { severity: settings.severity },
    annotations: {
      summary: summary,
      description: std.strReplace(promql.chomp(description), '\n', ' ') + queried,
      runbook_url: config.runbookURLPattern % name,
      dashboard_url: '%s?%s' % [config.dashboardURLPattern % dashboard, query],
    },
    [if settings['for'] != '0s' then 'for']: settings['for'],
  }
