// Pieces of PromQL that alerts and recording rules share. Vectors are matched by `ignoring`, never by `on`, so that
// labels that an installation adds to its targets stay in place and keep hosts apart.
{
  connectTuple:: 'local_address, remote_address, remote_port',
  serverTuple:: 'local_address, local_port, remote_address',

  // What _config has for an alert, with the threshold as it stands in an expression.
  settings(config, alert)::
    local settings = config.alerts[alert];
    settings + { [name]: $.number(settings[name]) for name in std.objectFields(settings) if name == 'threshold' },

  // %g does not know 0, and %s prints 0.8 with 17 digits.
  number(value):: if !std.isNumber(value) then value else if value == 0 then '0' else '%g' % value,

  // A selector of a metric of the exporter; `matchers` in addition to the configured ones.
  selector(config, metric, matchers='')::
    local all = std.join(',', [each for each in [config.timewaitExporterSelector, matchers] if each != '']);
    if all == '' then metric else '%s{%s}' % [metric, all],

  // Without the end of its last line. std.rstripChars takes a hundred times as long.
  chomp(text)::
    local last = std.length(text) - 1;
    if text[last] == '\n' then text[:last] else text,

  // In parentheses, each line indented.
  group(expr):: '(\n  ' + std.strReplace($.chomp(expr), '\n', '\n  ') + '\n)',

  // The tuples that meet a condition; or a namespace of which the highest figure does, where no tuple does that is
  // shown (`top: 0`). `condition` makes an expression of a metric's name; the metric NAME_max is over all tuples.
  perTuple(condition, metric, tuple)::
    local shown = condition(metric);
    local highest = condition(metric + '_max') + '\nunless ignoring (%s)\n' % tuple + shown;
    shown + '\nor\n' + $.group(highest),

  // A duration of one unit.
  seconds(duration)::
    local units = { s: 1, m: 60, h: 3600, d: 86400 };
    local last = std.length(duration) - 1;
    std.parseInt(duration[:last]) * units[duration[last]],
}
