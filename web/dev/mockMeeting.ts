import type {
  ActionKind,
  ClientMessage,
  InvitationView,
  MeetingView,
  ServerMessage,
  SiteLink,
  SiteView,
  SlotSource,
} from '../src/protocol/gen';
import type { Painter } from './mockMedia';

const NAMES = [
  'Huyện Long Thành',
  'Xã An Phước',
  'Xã Bình Sơn',
  'Xã Phước Thái',
  'Thị trấn Long Thành',
  'Xã Lộc An',
  'Xã Long An',
  'Xã Tam An',
  'Xã Tân Hiệp',
  'Xã Phước Bình',
  'Xã Bàu Cạn',
  'Xã Long Đức',
  'Xã Long Phước',
  'Xã Bình An',
  'Xã Cẩm Đường',
];
const nameOf = (index: number) => NAMES[index] ?? `Ấp ${index + 1}, xã Long Phước`;
const CHAIR_ACTS: ActionKind[] = [
  'mute',
  'allow_unmute',
  'mute_all',
  'allow_unmute_all',
  'big_screen',
  'remove',
  'readmit',
  'lock',
  'end',
  'share_content',
];

/** A meeting with enough states in it to look at. */
export class MockMeeting {
  private readonly view: MeetingView;
  private readonly you: number;

  constructor(parameters: URLSearchParams) {
    const scene = parameters.get('scene') ?? 'grid';
    this.you = scene === 'site' ? 2 : 1;
    const count = Number(parameters.get('sites') ?? (scene === 'many' ? 15 : 5));
    const names = Array.from({ length: count + (scene === 'many' ? 0 : 2) }, (_, index) => nameOf(index));
    const sites = names.map((name, index) => this.site(name, index, count));
    if (scene === 'lost') Object.assign(sites[3]!, { presence: 'lost', since_ms: Date.now() - 133_000 });
    if (scene === 'content') sites[1]!.content = true;
    if (scene === 'site') sites[1]!.microphone = 'muted_by_chair';
    this.view = {
      title: 'Họp giao ban trực tuyến tháng 11 năm 2026',
      started_at_ms: Date.now() - 1_500_000,
      locked: scene === 'content',
      big_screen: ['stage', 'lost', 'site'].includes(scene) ? (scene === 'site' ? 1 : 2) : null,
      sites,
      actions: this.you === 1 ? CHAIR_ACTS : ['share_content'],
    };
  }

  invitation(): InvitationView {
    return { meeting: this.view.title, site: this.view.sites.find(site => site.id === this.you)!.name };
  }

  welcome(): ServerMessage {
    const role = this.you === 1 ? 'chair' : 'site';
    return { type: 'welcome', version: 2, you: this.you, role, seat: 'seat', actions: this.view.actions };
  }

  present(): ServerMessage {
    return { type: 'meeting', meeting: structuredClone(this.view) };
  }

  /** Another device takes the seat of the second site. */
  moved(): ServerMessage {
    const site = this.view.sites[1]!;
    Object.assign(site, { takeovers: site.takeovers + 1, taken_over_ms: Date.now() });
    return this.present();
  }

  speakers(): number[] {
    return [2];
  }

  links(): SiteLink[] {
    const grades = ['good', 'good', 'fair', 'poor', 'good'] as const;
    return this.view.sites
      .filter(site => site.presence === 'present')
      .map((site, index) => ({
        site: site.id,
        grade: grades[index % grades.length]!,
        loss_percent: 1.2,
        rtt_ms: 24,
      }));
  }

  change(message: Extract<ClientMessage, { type: 'act' | 'media' }>): ServerMessage {
    if (message.type === 'media') {
      const own = this.view.sites.find(site => site.id === this.you)!;
      own.camera = message.camera;
      own.content = message.content;
      if (own.microphone !== 'muted_by_chair') own.microphone = message.microphone ? 'on' : 'off';
      return this.present();
    }
    const { action } = message;
    if (action.kind === 'end') return { type: 'goodbye', reason: 'ended' };
    if (action.kind === 'lock') this.view.locked = action.locked;
    if (action.kind === 'big_screen') this.view.big_screen = action.site;
    for (const site of this.view.sites) this.act(action, site);
    return this.present();
  }

  painter(source: SlotSource): Painter {
    const name = this.view.sites.find(site => site.id === source.site)?.name ?? '';
    return { name, hue: (source.site * 47) % 360, slides: source.kind === 'content' };
  }

  private act(action: Extract<ClientMessage, { type: 'act' }>['action'], site: SiteView): void {
    const meant = 'site' in action && action.site === site.id;
    const all = site.id !== this.you;
    if ((action.kind === 'mute' && meant) || (action.kind === 'mute_all' && all))
      site.microphone = 'muted_by_chair';
    if ((action.kind === 'allow_unmute' && meant) || (action.kind === 'allow_unmute_all' && all))
      site.microphone = 'off';
    if (action.kind === 'remove' && meant) site.presence = 'removed';
    if (action.kind === 'readmit' && meant) site.presence = 'away';
  }

  private site(name: string, index: number, count: number): SiteView {
    return {
      id: index + 1,
      name,
      role: index === 0 ? 'chair' : 'site',
      presence: index < count ? 'present' : 'away',
      since_ms: index + 1 === this.you ? Date.now() : index < count ? Date.now() - 60_000 : null,
      microphone: index === 1 ? 'on' : index === 3 ? 'muted_by_chair' : 'off',
      camera: index !== 4,
      content: false,
      reconnections: 0,
      takeovers: 0,
      taken_over_ms: null,
    };
  }
}
