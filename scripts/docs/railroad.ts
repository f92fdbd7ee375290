import type { ISerializedGast } from 'chevrotain';

/** A drawn piece: it is entered at the left and left at the right, both at height 0. */
interface Piece {
  readonly width: number;
  readonly up: number;
  readonly down: number;
  readonly draw: (x: number, y: number) => string;
}

const GAP = 10;
const HEIGHT = 12;
const CHARACTER = 7.2;

const line = (x1: number, y1: number, x2: number, y2: number) => `<path d="M${x1} ${y1}L${x2} ${y2}"/>`;

/** Draws the rules of a grammar as railroad diagrams, one below the other. */
export function railroadSvg(rules: readonly ISerializedGast[]): string {
  const drawn: string[] = [];
  let y = 0;
  let widest = 0;
  for (const rule of rules as unknown as readonly SerializedRule[]) {
    const piece = sequence(rule.definition.map(pieceOf));
    const middle = y + 34 + piece.up;
    drawn.push(`<text class="name" x="10" y="${y + 14}">${rule.name}</text>`);
    drawn.push(
      line(10, middle, 30, middle),
      piece.draw(30, middle),
      line(30 + piece.width, middle, 50 + piece.width, middle),
    );
    widest = Math.max(widest, piece.width + 60);
    y = middle + piece.down + 24;
  }
  const style =
    'path{stroke:#444;fill:none}rect{fill:#f6f6f6;stroke:#444}rect.token{fill:#e4eefc}' +
    'text{font:12px monospace;fill:#111}text.name{font-weight:bold}';
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${widest}" height="${y}"><style>${style}</style><rect width="100%" height="100%" style="fill:#fff;stroke:none"/>${drawn.join('')}</svg>\n`;
}

interface SerializedRule {
  readonly type: string;
  readonly name: string;
  readonly label?: string;
  readonly definition: readonly SerializedRule[];
  readonly separator?: SerializedRule;
}

function pieceOf(node: SerializedRule): Piece {
  switch (node.type) {
    case 'Terminal':
      return box(node.label ?? node.name, 'token');
    case 'NonTerminal':
      return box(node.name, 'rule');
    case 'Alternation':
      return choice(node.definition.map(pieceOf));
    case 'Option':
      return choice([sequence([]), sequence(node.definition.map(pieceOf))]);
    case 'Repetition':
      return choice([sequence([]), loop(sequence(node.definition.map(pieceOf)), sequence([]))]);
    case 'RepetitionWithSeparator':
      return choice([sequence([]), loop(sequence(node.definition.map(pieceOf)), pieceOf(node.separator!))]);
    default:
      return sequence((node.definition ?? []).map(pieceOf));
  }
}

function box(text: string, kind: 'token' | 'rule'): Piece {
  const width = text.length * CHARACTER + 16;
  const round = kind === 'token' ? 10 : 0;
  return {
    width,
    up: HEIGHT,
    down: HEIGHT,
    draw: (x, y) =>
      `<rect class="${kind}" x="${x}" y="${y - HEIGHT}" width="${width}" height="${2 * HEIGHT}" rx="${round}"/>` +
      `<text x="${x + 8}" y="${y + 4}">${text}</text>`,
  };
}

function sequence(pieces: readonly Piece[]): Piece {
  const width = pieces.reduce((sum, piece) => sum + piece.width + GAP, GAP);
  return {
    width,
    up: Math.max(0, ...pieces.map(({ up }) => up)),
    down: Math.max(0, ...pieces.map(({ down }) => down)),
    draw: (x, y) => {
      let at = x + GAP;
      const parts = [line(x, y, at, y)];
      for (const piece of pieces) {
        parts.push(piece.draw(at, y), line(at + piece.width, y, at + piece.width + GAP, y));
        at += piece.width + GAP;
      }
      return parts.join('');
    },
  };
}

/** The first way is straight on, the others below it. */
function choice(ways: readonly Piece[]): Piece {
  const inner = Math.max(...ways.map(({ width }) => width));
  const offsets: number[] = [];
  let down = 0;
  for (const [index, way] of ways.entries()) {
    const offset = index === 0 ? 0 : down + way.up + GAP;
    offsets.push(offset);
    down = offset + way.down;
  }
  return {
    width: inner + 2 * GAP,
    up: ways[0]?.up ?? 0,
    down,
    draw: (x, y) =>
      ways
        .map((way, index) => {
          const level = y + offsets[index]!;
          const end = x + GAP + way.width;
          return (
            line(x, y, x + GAP, level) +
            way.draw(x + GAP, level) +
            line(end, level, x + GAP + inner, level) +
            line(x + GAP + inner, level, x + inner + 2 * GAP, y)
          );
        })
        .join(''),
  };
}

/** Goes back through `back`, drawn above. */
function loop(body: Piece, back: Piece): Piece {
  const inner = Math.max(body.width, back.width);
  const level = body.up + back.down + GAP;
  return {
    width: inner + 2 * GAP,
    up: level + back.up,
    down: body.down,
    draw: (x, y) => {
      const right = x + GAP + inner;
      return [
        line(x, y, x + GAP, y),
        body.draw(x + GAP, y),
        line(x + GAP + body.width, y, right + GAP, y),
        line(x + GAP, y, x + GAP, y - level),
        back.draw(x + GAP, y - level),
        line(x + GAP + back.width, y - level, right, y - level),
        line(right, y - level, right, y),
      ].join('');
    },
  };
}
