import { randomBytes, randomInt } from 'node:crypto';
import { BerthError } from '../../errors/index.ts';

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;

const ADJECTIVES =
  'able airy amber apt astute balmy blithe bold bonny brisk bright calm candid clear coastal cobalt copper crisp deft dewy eager early even fair fleet fond frank fresh gentle glad golden hale handy hardy hazel hearty humble ivory jaunty keen kind light lively loyal lucid marine mellow merry mild neat nimble noble northern open patient placid plucky polite proud quick quiet rapid ready rosy royal ruddy salty sandy serene sharp silver sincere smooth snug sober solid southern sparkling spry stalwart stately staunch steady stellar sturdy sunny sure swift tidal tidy tranquil trim true upbeat vast velvet warm wary western willing windward wise witty zesty'.split(
    ' ',
  );
/** Seafarers, chart makers and people who built ships, harbours, canals and lights. */
const SURNAMES =
  'abel albuquerque amundsen baffin baret barentsz bartlett beaufort bering bethune bougainville bowditch brunel byron cabot cabral champlain chichester cook coronelli cousteau cunard dampier davis drake earhart eriksson faxian flinders franklin fresnel frobisher fulton gama gatty henson heyerdahl hodges hudson ibnbattuta ibnmajid idrisi kaiulani knox lapita larsen leeghwater lesseps lind macarthur magellan markham maury mercator moitessier nansen ortelius parry piccard piri polo pytheas raleigh riebeeck riquet ross rumsey sacagawea scoresby shackleton slocum smeaton stevenson tabarly tasman tharp torres tupaia vespucci waldseemuller weddell wilkes worsley xu yermak yishiha zheng'.split(
    ' ',
  );

/** @throws BerthError `invalid` */
export function checkName(name: string): string {
  const bare = name.startsWith('/') ? name.slice(1) : name;
  if (NAME.test(bare)) return bare;
  throw new BerthError(
    'invalid',
    `Invalid container name (${name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`,
    bare.length === 1 ? { hint: 'a name has at least two characters' } : {},
  );
}

/** A name that nobody uses, as `steady_mercator`. */
export function generateName(isTaken: (name: string) => boolean): string {
  for (let attempt = 0; ; attempt++) {
    const pair = `${ADJECTIVES[randomInt(ADJECTIVES.length)]}_${SURNAMES[randomInt(SURNAMES.length)]}`;
    const name = attempt < 6 ? pair : `${pair}${randomInt(10 ** (attempt - 4))}`;
    if (!isTaken(name)) return name;
  }
}

/** 64 hexadecimal digits whose short form is not a number: shells and host names take those amiss. */
export function generateId(): string {
  for (;;) {
    const id = randomBytes(32).toString('hex');
    if (!/^\d{12}/.test(id)) return id;
  }
}
