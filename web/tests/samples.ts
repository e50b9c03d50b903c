import type { LinkGrade, MeetingView, SiteLink, SiteView } from '../src/protocol/gen';

export function site(id: number, changes: Partial<SiteView> = {}): SiteView {
  return {
    id,
    name: `Xã ${id}`,
    role: id === 1 ? 'chair' : 'site',
    presence: 'present',
    since_ms: null,
    microphone: 'off',
    camera: true,
    content: false,
    reconnections: 0,
    takeovers: 0,
    taken_over_ms: null,
    ...changes,
  };
}

export function meeting(sites: SiteView[], changes: Partial<MeetingView> = {}): MeetingView {
  return {
    title: 'Họp',
    started_at_ms: null,
    locked: false,
    big_screen: null,
    sites,
    actions: [],
    ...changes,
  };
}

export function link(id: number, grade: LinkGrade): SiteLink {
  return { site: id, grade, loss_percent: 0, rtt_ms: null };
}
