// The exporter itself.
local promql = import '../promql.libsonnet';
local alert = import 'alert.libsonnet';

function(config)
  local settings(alert) = promql.settings(config, alert);
  local select(metric, matchers='') = promql.selector(config, metric, matchers);
  local exporterAlert(name, expr, summary, description) =
    alert(config, name, expr, summary, description, dashboard='timewait-exporter');

  // A round of polling comes as often as the collector that is polled most often.
  local stale =
    local own = settings('TimewaitSnapshotStale');
    |||
      time() - %(taken)s > %(intervals)g * min without (collector) (%(interval)s)
      and
      time() - %(taken)s > %(seconds)d
    ||| % own {
      taken: select('timewait_exporter_snapshot_timestamp_seconds'),
      interval: select('timewait_exporter_collector_interval_seconds'),
      seconds: promql.seconds(own.threshold),
    };

  [
    exporterAlert(
      'TimewaitCollectorFailing',
      select('timewait_exporter_collector_success') + ' == 0',
      'A collector of timewait_exporter fails.',
      |||
        On {{ $labels.instance }} the collector {{ $labels.collector }} fails, so that its figures are missing and
        alerts on them cannot fire. timewait_exporter_collector_errors_total has the reason in a word, the log in a
        sentence.
      |||,
    ),
    exporterAlert(
      'TimewaitSnapshotStale',
      stale,
      'timewait_exporter shows old figures.',
      'On {{ $labels.instance }} the figures are {{ $value | humanizeDuration }} old: polls do not end.',
    ),
    exporterAlert(
      'TimewaitExporterDown',
      select('up') + ' == 0',
      'timewait_exporter cannot be scraped.',
      'Prometheus cannot scrape {{ $labels.instance }} (job {{ $labels.job }}): nothing is known of its ports.',
    ),
  ]
