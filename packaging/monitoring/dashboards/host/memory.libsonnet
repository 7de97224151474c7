// What TIME-WAIT costs in memory, as its sockets and bind buckets are counted and as the slabs say.
local panels = import '../panels.libsonnet';

function(kit)
  local needsSlabinfo = 'not readable: needs CAP_DAC_READ_SEARCH';

  local size(caches) =
    'sum by (job, instance) (%s)' % kit.ofHost('timewait_slab_object_size_bytes', 'cache=~"%s"' % caches);
  local held(number, caches) =
    'sum by (job, instance) (%s) * on (job, instance) %s' % [number, size(caches)];
  local caches = 'tw_sock_TCP|tw_sock_TCPv6|tcp_bind_bucket|tcp_bind2_bucket|request_sock_TCP|TCP|TCPv6';
  local ofCaches(metric) = panels.rows('sum by (cache) (%s)' % kit.ofHost(metric, 'cache=~"%s"' % caches));

  panels.section('What TIME-WAIT costs in memory', [
    panels.timeseries(
      'Memory of TIME-WAIT, reckoned',
      |||
        Sockets × the size of one (tw_sock_TCP), and one bind bucket for each local port in use: an accepted
        connection shares the listener's, an outgoing one has its own. 40,000 of them are 10 to 20 MB. It is never a
        reason to fight TIME-WAIT.
      |||,
      [
        panels.query(
          held(kit.ofNamespace('timewait_time_wait_sockets', 'role="server"'), 'tw_sock_TCP'), 'accepted'
        ),
        panels.query(
          held(kit.ofNamespace('timewait_time_wait_sockets', 'role="client"'), 'tw_sock_TCP'), 'outgoing'
        ),
        panels.query(
          held(kit.ofNamespace('timewait_bind_buckets'), 'tcp_bind2?_bucket'), 'bind buckets'
        ),
      ],
      {
        width: 7,
        unit: 'bytes',
        stacked: true,
        noValue: needsSlabinfo,
        overrides: [
          panels.inColor('accepted', 'blue'),
          panels.inColor('outgoing', 'orange'),
          panels.inColor('bind buckets', 'purple'),
        ],
      }
    ),
    panels.table(
      'Slab caches, as slabtop shows them',
      |||
        Of the whole host, all network namespaces. Active is an upper bound: objects that lie ready on a CPU count as
        in use. The kernel may merge a cache with others of its size (bind buckets, usually): then only the size of an
        object is known.
      |||,
      [
        ofCaches('timewait_slab_object_size_bytes'),
        ofCaches('timewait_slab_objects'),
        ofCaches('timewait_slab_objects_active'),
        ofCaches('timewait_slab_size_bytes'),
        ofCaches('timewait_slab_merged'),
      ],
      [
        ['cache', 'Cache'],
        ['Value #B', 'Objects', panels.count(85) { noValue: '' }],
        ['Value #C', 'Active', panels.count(85) { noValue: '' }],
        ['Value #A', 'Object size', panels.count(100) { unit: 'bytes' }],
        ['Value #D', 'Cache size', panels.width(100) { unit: 'bytes', noValue: '' }],
        ['Value #E', 'Merged', panels.width(80) {
          noValue: '',
          mappings: [{ type: 'value', options: { '0': { text: 'no', index: 0 }, '1': { text: 'yes', index: 1 } } }],
        }],
      ],
      { width: 10, noValue: needsSlabinfo }
    ),
    panels.timeseries(
      'Beside what live connections take',
      |||
        Slabs of TIME-WAIT sockets, of full sockets, and the buffers of full sockets; of the whole host.
      |||,
      [
        panels.query(
          'sum(%s)' % kit.ofHost('timewait_slab_size_bytes', 'cache=~"tw_sock_TCP|tw_sock_TCPv6"'), 'TIME-WAIT sockets'
        ),
        panels.query('sum(%s)' % kit.ofHost('timewait_slab_size_bytes', 'cache=~"TCP|TCPv6"'), 'full sockets'),
        panels.query('sum(%s)' % kit.ofHost('timewait_sockstat_tcp_memory_bytes'), 'socket buffers'),
      ],
      {
        width: 7,
        unit: 'bytes',
        noValue: needsSlabinfo,
        overrides: [
          panels.inColor('TIME-WAIT sockets', 'blue'),
          panels.inColor('full sockets', 'green'),
          panels.inColor('socket buffers', 'orange'),
        ],
      }
    ),
  ])
