local tuple = { netns: 'self', local_address: '10.0.0.1', remote_address: '10.0.0.2', remote_port: '5432' };
local of(metric, remote='10.0.0.2') =
  '%s{netns="self",local_address="10.0.0.1",remote_address="%s",remote_port="5432"}' % [metric, remote];
local ratio = of('timewait_connect_ports_usage_ratio');
local highest = 'timewait_connect_ports_usage_ratio_max{netns="self"}';
local preferred = 'timewait_connect_preferred_ports_usage_ratio_max{netns="self"}';
local blocked(evidence) = 'timewait_ephemeral_ports_blocked{netns="self",evidence="%s"}' % evidence;
local capacity = 'timewait_ephemeral_ports{netns="self"}';
local case(name, alert, series, firing={}, quiet=[]) =
  { name: 'connect ports: ' + name, alert: alert, series: series, firing: firing, quiet: quiet };

local here = 'On web1:10060 (netns self) ';
local named(description) =
  { labels: tuple, description: here + description % 'from 10.0.0.1 to 10.0.0.2 port 5432' };
local unnamed(description) = { labels: { netns: 'self' }, description: here + description % 'to some destination' };

local exhausted =
  '100%% of the ephemeral ports %s were in use within the last 5m: there connect() fails with EADDRNOTAVAIL.';
local nearly(percent) = percent + '%% of the ephemeral ports %s are in use.';
local predicted(when) =
  'the ephemeral ports %s will run out in ' + when + ' if they go on as in the last 20m.';

[
  case('nearly all are not all', 'TimewaitConnectPortsExhausted', {
    [ratio]: '0.9999x40',
    [highest]: '0.9999x40',
    [blocked('observed')]: '5x40',
    [blocked('inferred')]: '4x40',
    [capacity]: '10x40',
  }, quiet=['0m', '5m', '10m']),
  // Each port that comes free is taken again.
  case('all, now and then', 'TimewaitConnectPortsExhausted', {
    [ratio]: '0.5x20 1 0.9997x8 1 0.9x40',
    [highest]: '0.5x20 1 0.9997x8 1 0.9x40',
  }, firing={
    '5m15s': [named(exhausted)],
    '7m': [named(exhausted)],
    '12m': [named(exhausted)],
  }, quiet=['5m', '13m']),
  case('all, of a tuple that is gone a moment later', 'TimewaitConnectPortsExhausted', {
    [ratio]: '1 stale',
    [highest]: '1 0x40',
  }, firing={
    '0m': [named(exhausted)],
    '3m': [named(exhausted)],
  }, quiet=['5m15s']),
  case('all, of a tuple that is not shown', 'TimewaitConnectPortsExhausted', {
    [highest]: '1x40',
  }, firing={ '1m': [unnamed(exhausted)] }),
  case('the whole range is reserved', 'TimewaitConnectPortsExhausted', {
    [highest]: '0x40',
    [blocked('observed')]: '0x40',
    [blocked('inferred')]: '0x40',
    [capacity]: '0x40',
  }, firing={ '1m': [unnamed(exhausted)] }),
  case('bind() has all, and a tuple is there', 'TimewaitConnectPortsExhausted', {
    [ratio]: '1x40',
    [highest]: '1x40',
    [blocked('observed')]: '10x40',
    [blocked('inferred')]: '0x40',
    [capacity]: '10x40',
  }, firing={ '1m': [named(exhausted)] }),
  case('bind() has all', 'TimewaitConnectPortsExhausted', {
    [highest]: '0x40',
    [blocked('observed')]: '6x40',
    [blocked('inferred')]: '4x40',
    [capacity]: '10x40',
  }, firing={ '1m': [unnamed(exhausted)] }),

  case('four fifths', 'TimewaitConnectPortsNearlyExhausted', {
    [ratio]: '0.8x40',
    [highest]: '0.8x40',
  }, quiet=['0m', '5m', '10m']),
  case('more, for as long as a burst', 'TimewaitConnectPortsNearlyExhausted', {
    [ratio]: '0.1x20 0.95x8 0.1x40',
    [highest]: '0.1x20 0.95x8 0.1x40',
  }, quiet=['5m', '7m', '8m', '10m']),
  case('more, for long', 'TimewaitConnectPortsNearlyExhausted', {
    [ratio]: '0.1x20 0.95x60 0.1x20',
    [highest]: '0.1x20 0.95x60 0.1x20',
  }, firing={ '12m': [named(nearly(95))] }, quiet=['5m', '8m', '22m']),
  // Others were fuller in between.
  case('more, of a tuple that is not always shown', 'TimewaitConnectPortsNearlyExhausted', {
    [ratio]: '0.9x9 stale _x2 0.9x9 stale _x2 0.9x9 stale',
    [highest]: '0.9x36',
  }, firing={ '5m30s': [named(nearly(90))], '6m': [named(nearly(90))] }),
  case('more, of a tuple that is never shown', 'TimewaitConnectPortsNearlyExhausted', {
    [highest]: '0.9x40',
  }, firing={ '5m': [unnamed(nearly(90))] }, quiet=['2m']),

  case('a leak', 'TimewaitConnectPortsExhaustionPredicted', {
    [ratio]: '0.25+0.001953125x300',
    [highest]: '0.25+0.001953125x300',
  }, firing={
    // 0.75 less 0.4375 are left, 0.0078125 go in a minute.
    '56m': [named(predicted('40m 0s'))],
  }, quiet=['10m', '30m']),
  case('a leak, slow enough', 'TimewaitConnectPortsExhaustionPredicted', {
    [ratio]: '0.5+0.0005x300',
    [highest]: '0.5+0.0005x300',
  }, quiet=['20m', '40m', '60m']),
  case('a rise after a fall', 'TimewaitConnectPortsExhaustionPredicted', {
    [ratio]: '0.9-0.008x48 0.516+0.005x40',
    [highest]: '0.9-0.008x48 0.516+0.005x40',
  }, quiet=['18m', '20m', '21m', '22m']),
  case('a steep rise from little', 'TimewaitConnectPortsExhaustionPredicted', {
    [ratio]: '0.02+0.005x72',
    [highest]: '0.02+0.005x72',
  }, quiet=['10m', '15m', '18m']),
  case('load that has come to stay', 'TimewaitConnectPortsExhaustionPredicted', {
    [ratio]: '0.1x80 0.3 0.5 0.65x120',
    [highest]: '0.1x80 0.3 0.5 0.65x120',
  }, quiet=['20m', '22m', '24m', '26m', '28m', '30m', '40m']),
  case('load that comes with a new tuple', 'TimewaitConnectPortsExhaustionPredicted', {
    [ratio]: '_x80 0.2 0.4 0.6 0.7x120',
    [highest]: '0x80 0.2 0.4 0.6 0.7x120',
  }, quiet=['20m', '22m', '24m', '26m', '28m', '30m', '40m']),
  // Each tuple stays where it is, and the next one is fuller.
  case('load that moves from tuple to tuple', 'TimewaitConnectPortsExhaustionPredicted', {
    [of('timewait_connect_ports_usage_ratio', '10.0.0.%d' % (3 + step))]:
      '_x%d %gx15 stale' % [16 * step, 0.3 + step / 10]
    for step in std.range(0, 6)
  } + {
    [highest]: std.join(' ', ['%gx15' % (0.3 + step / 10) for step in std.range(0, 6)]),
  }, quiet=['16m', '18m', '20m', '22m', '24m', '26m']),
  case('a leak to a tuple that is not shown', 'TimewaitConnectPortsExhaustionPredicted', {
    [highest]: '0.25+0.001953125x300',
  }, firing={ '56m': [unnamed(predicted('40m 0s'))] }, quiet=['30m']),

  case('half of both halves', 'TimewaitConnectPreferredPortsExhausted', {
    [preferred]: '0.98x120',
    [ratio]: '0.49x120',
  }, quiet=['10m', '20m', '30m']),
  case('the preferred half is full again and again', 'TimewaitConnectPreferredPortsExhausted', {
    [preferred]: '1 0.99x9 1 0.99x9 1 0.99x9 1 0.99x9 1 0.99x9 1 0.99x9 1 0.99x9 0.99x40',
    [ratio]: '0.55x140',
    [of('timewait_connect_ports_usage_ratio', '10.0.0.3')]: '0.2x140',
  }, firing={
    '15m': [{
      labels: { netns: 'self' },
      description: here + 'a destination has 100% of the half of the ephemeral ports that connect() searches first ' +
                   'in use, and searches it in vain at each connect(). The fullest, from 10.0.0.1 to 10.0.0.2 ' +
                   'port 5432, has 55% of both halves in use.',
    }],
  }, quiet=['5m', '28m']),
  case('the preferred half is full for a moment', 'TimewaitConnectPreferredPortsExhausted', {
    [preferred]: '0.4x20 1 0.4x80',
  }, quiet=['6m', '10m', '16m']),
]
