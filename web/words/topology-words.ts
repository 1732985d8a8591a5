/** What is said of the drawing of who calls whom. */
import { count, plural, words } from './words.ts';

export const topologyWords = words(
  {
    title: 'Topology',
    summary: (services: number, calls: number) =>
      `${plural(services, 'service')}, ${plural(calls, 'call')}`,
    drawing: 'Who calls whom, from left to right; the table below says the same',
    table: 'Calls',
    from: 'Who calls',
    to: 'Who is called',
    decision: 'May it?',
    source: 'Known by',
    byUpstream: 'an upstream',
    byIntention: 'an intention alone',
    default: 'as the default says',
    intention: 'Intention',
    edit: 'Show it',
    editAny: (from: string, to: string) => `${from} → ${to}`,
    make: 'Make one',
    focusOn: (name: string) => `${name} with those around it`,
    focused: (name: string) => `Around ${name}`,
    showAll: 'Show all',
    toService: 'Show the service',
    rules: 'Besides, of any service:',
    none: 'Nobody calls anybody yet',
    noneHint:
      'Services are drawn here once a proxy is registered with upstreams, or an intention names two services.',
    noMatch: 'No service matches',
    noMatchHint: 'Words are looked for in names; those around a service are drawn with it.',
    straight:
      'There are too many lines to lead each around the boxes: look for a service, or look at one alone.',
    tooMany: (n: number, calls: number) =>
      `${count(n)} services with ${count(calls)} calls are too many to be drawn at once. Filter them, or choose one in the table.`,
    unseen: 'You may not see intentions: whether a call may be is not known here.',
  },
  {
    title: '拓扑',
    summary: (services: number, calls: number) =>
      `${count(services)} 个服务，${count(calls)} 个调用`,
    drawing: '谁调用谁，从左到右；下方表格内容相同',
    table: '调用',
    from: '调用方',
    to: '被调用方',
    decision: '是否允许',
    source: '来源',
    byUpstream: '上游设置',
    byIntention: '仅有意图',
    default: '由默认设置决定',
    intention: '意图',
    edit: '查看',
    editAny: (from: string, to: string) => `${from} → ${to}`,
    make: '创建',
    focusOn: (name: string) => `${name} 及其周围`,
    focused: (name: string) => `${name} 的周围`,
    showAll: '显示全部',
    toService: '查看服务',
    rules: '此外，关于任意服务：',
    none: '还没有任何调用',
    noneHint: '当代理注册了上游，或意图指明了两个服务时，服务会画在此处。',
    noMatch: '没有匹配的服务',
    noMatchHint: '关键词会在名称中查找；服务周围的服务会一并画出。',
    straight: '连线太多，无法逐一绕开方框：请搜索某个服务，或单独查看一个。',
    tooMany: (n: number, calls: number) =>
      `${count(n)} 个服务和 ${count(calls)} 个调用太多，无法一次画出。请筛选，或在表格中选择一个。`,
    unseen: '您无权查看意图：此处无法得知调用是否被允许。',
  },
);
