local case(name, alert, series, firing={}, quiet=[]) =
  { name: 'exporter: ' + name, alert: alert, series: series, firing: firing, quiet: quiet };
local success(collector) = 'timewait_exporter_collector_success{collector="%s"}' % collector;
local taken = 'timewait_exporter_snapshot_timestamp_seconds';
local interval(collector) = 'timewait_exporter_collector_interval_seconds{collector="%s"}' % collector;
local intervals(seconds) = { [interval('sock_diag')]: '%dx80' % seconds, [interval('slabinfo')]: '3600x80' };
local down = { description: 'Prometheus cannot scrape web1:10060 (job timewait): nothing is known of its ports.' };

[
  case('a collector fails now and then', 'TimewaitCollectorFailing', {
    [success('sock_diag')]: '0x10 1 0x10 1 0x10 1 0x10 1 0x10 1 0x10 1 0x10 1',
  }, quiet=['5m', '10m', '15m', '19m']),
  case('one of two collectors fails', 'TimewaitCollectorFailing', {
    [success('slabinfo')]: '0x80',
    [success('netstat')]: '1x80',
  }, firing={
    '16m': [{
      labels: { collector: 'slabinfo' },
      description: 'On web1:10060 the collector slabinfo fails, so that its figures are missing and alerts on them ' +
                   'cannot fire. timewait_exporter_collector_errors_total has the reason in a word, the log in a ' +
                   'sentence.',
    }],
  }, quiet=['14m']),

  case('polls go on', 'TimewaitSnapshotStale', intervals(15) + { [taken]: '0+15x80' }, quiet=['5m', '20m']),
  case('polls are far apart', 'TimewaitSnapshotStale', intervals(300) + {
    [taken]: '0x20 300x20 600x20 900x20',
  }, quiet=['4m45s', '9m45s', '19m45s']),
  case('polls do not end', 'TimewaitSnapshotStale', intervals(15) + { [taken]: '0x80' }, firing={
    '10m': [{ description: 'On web1:10060 the figures are 10m 0s old: polls do not end.' }],
  }, quiet=['2m', '3m']),

  case('it is there', 'TimewaitExporterDown', { up: '1x80' }, quiet=['10m']),
  case('it is restarted', 'TimewaitExporterDown', { up: '1x20 0x10 1x20' }, quiet=['5m', '7m', '10m']),
  case('it is gone', 'TimewaitExporterDown', { up: '1x20 0x60' }, firing={ '11m': [down] }, quiet=['5m', '9m']),
]
