local promql = import '../promql.libsonnet';

// Phrases of descriptions.
{
  host:: '{{ $labels.instance }} (netns {{ $labels.netns }})',

  // Alerts on a namespace's highest figure have no tuple.
  connectTuple:: std.join('', [
    '{{ if $labels.remote_address }}from {{ $labels.local_address }} to {{ $labels.remote_address }} ',
    'port {{ $labels.remote_port }}{{ else }}to some destination{{ end }}',
  ]),
  serverTuple:: std.join('', [
    '{{ if $labels.remote_address }}{{ $labels.remote_address }} to {{ $labels.local_address }} ',
    'port {{ $labels.local_port }}{{ else }}some remote host{{ end }}',
  ]),

  // What a query about the alert's namespace finds: of each series `words`, to which it is the dot. The query has
  // matchers in the place of %s.
  list(query, words)::
    '{{ range query (printf `%s` $labels.job $labels.instance $labels.netns) }}%s{{ end }}' %
    [query % 'job=%q,instance=%q,netns=%q', words],

  // The processes of the alert's destination of which `expr` finds most; its metric is in the place of %[1]s.
  failedProcesses(expr):: std.join('', [
    '{{ if $labels.remote_address }}{{ range query (printf `topk(3, ' +
    std.strReplace(promql.chomp(expr), '\n', ' ') + ')` ',
    '(printf `timewait_connect_failures_by_destination_total{job=%q,instance=%q,local_address=%q,' +
    'remote_address=%q,remote_port=%q}` $labels.job $labels.instance $labels.local_address ' +
    '$labels.remote_address $labels.remote_port)) }}',
    ' By {{ or .Labels.process `an unknown process` }} (netns {{ or .Labels.netns `unknown` }}): ' +
    '{{ .Value | humanize }}.{{ end }}{{ end }}',
  ]),
}
