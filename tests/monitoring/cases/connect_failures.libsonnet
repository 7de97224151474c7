local total = 'timewait_connect_failures_total';
local started = 'process_start_time_seconds';
local labels = { local_address: '10.0.0.1', remote_address: '10.0.0.2', remote_port: '5432' };
local to(remote, process='api', netns='self') =
  'timewait_connect_failures_by_destination_total{netns="%s",local_address="10.0.0.1",' % netns +
  'remote_address="%s",remote_port="5432",process="%s"}' % [remote, process];
local other =
  'timewait_connect_failures_by_destination_total{netns="",local_address="",remote_address="other",' +
  'remote_port="",process=""}';
local case(name, series, firing={}, quiet=[]) =
  { name: 'connect failures: ' + name, alert: 'TimewaitConnectFailures', series: series, firing: firing, quiet: quiet };
local failed(count, remote='10.0.0.2', by='By api (netns self): %s.' % count) = {
  labels: labels { remote_address: remote },
  description: 'On web1:10060 connects from 10.0.0.1 to %s port 5432 fail with EADDRNOTAVAIL: ' % remote +
               '%s in the last 5m. ' % count + by,
};
// Where nothing is known but the host.
local unattributed(count) = {
  description: 'On web1:10060 connects to some destination fail with EADDRNOTAVAIL: %s in the last 5m.' % count,
};

[
  case('none', { [total]: '0x80' }, quiet=['0m', '5m', '20m']),
  case('long ago', { [total]: '7x80', [to('10.0.0.2')]: '7x80' }, quiet=['0m', '5m', '20m']),
  case('the first burst of a destination', {
    [total]: '0x40 20x80',
    [to('10.0.0.2')]: '_x41 20x80',
  }, firing={
    '10m15s': [failed(20)],
    '14m45s': [failed(20)],
  }, quiet=['10m', '15m15s', '20m', '30m']),
  case('a later burst', {
    [total]: '3x40 13x80',
    [to('10.0.0.2')]: '3x40 13x80',
  }, firing={
    '10m30s': [failed(10)],
  }, quiet=['10m', '15m30s']),
  case('two destinations, of which one fails no more', {
    [total]: '5x40 6x80',
    [to('10.0.0.2')]: '5x120',
    [to('10.0.0.3')]: '_x41 1x80',
  }, firing={
    '11m': [failed(1, '10.0.0.3')],
  }, quiet=['10m', '16m']),
  case('of many processes, some of which could not be asked', {
    [total]: '0x40 20x80',
    [to('10.0.0.2', 'short-lived')]: '_x41 12x80',
    [to('10.0.0.2', '', '')]: '_x41 5x80',
    [to('10.0.0.2', 'worker', 'd4c3b2a19080')]: '_x41 3x80',
  }, firing={
    '10m15s': [failed(20, by='By short-lived (netns self): 12. By an unknown process (netns unknown): 5. ' +
                            'By worker (netns d4c3b2a19080): 3.')],
  }, quiet=['10m', '16m']),
  case('records are lost, so that nothing is known but the number', {
    [total]: '0x40 20x80',
  }, firing={
    '12m': [unattributed(20)],
  }, quiet=['10m', '16m']),
  // The series `other` takes over what has been counted before.
  case('a destination gives way to another', {
    [total]: '9x80',
    [to('10.0.0.2')]: '9x40 _x40',
    [other]: '_x41 9x39',
  }, quiet=['10m', '11m', '14m']),
  case('a destination gives way to another, which fails', {
    [total]: '9x40 10x80',
    [to('10.0.0.2')]: '9x40 stale',
    [to('10.0.0.3')]: '_x41 1x80',
    [other]: '_x41 9x80',
  }, firing={ '11m': [failed(1, '10.0.0.3')] }, quiet=['10m', '16m']),
  case('between the start of the daemon and the first scrape', {
    [started]: '-5x80',
    [total]: '4x80',
    [to('10.0.0.2')]: '4x80',
  }, firing={
    '0m': [failed(4)],
    '4m45s': [failed(4)],
  }, quiet=['5m', '10m']),
  case('a Prometheus that has just begun finds old ones', {
    [started]: '-100000x80',
    [total]: '4x80',
    [to('10.0.0.2')]: '4x80',
  }, quiet=['0m', '1m', '10m']),
  // What failed before the gap is not new after it.
  case('the target was away for seven minutes', {
    [started]: '-100000x140',
    [total]: '90x20 stale _x27 90x4 91x80',
    [to('10.0.0.2')]: '50x20 stale _x27 50x80',
    [to('10.0.0.3')]: '_x54 1x80',
  }, firing={
    '13m45s': [unattributed('1.083')],
    '17m15s': [failed(1, '10.0.0.3')],
  }, quiet=['12m15s', '13m15s', '19m']),
  case('the daemon was restarted', {
    [started]: '-1000x40 605x80',
    [total]: '50x40 0x80',
    [to('10.0.0.2')]: '50x40 stale',
  }, quiet=['10m15s', '11m', '15m', '20m']),
  case('the daemon was restarted, and it fails again', {
    [started]: '-1000x40 605x80',
    [total]: '50x40 0x3 2x80',
    [to('10.0.0.2')]: '50x40 _x4 2x80',
  }, firing={
    '11m30s': [failed(2)],
  }, quiet=['11m', '16m30s']),
]
