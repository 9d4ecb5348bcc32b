/* A task's graph, read from DOT and laid out in layers from left to right.
 *
 * In:  DOT as the task API writes it: a statement a line, `a -> b [processed="5"];`, `a [errors="0" ..];`, `graph [..];`.
 * Out: nodes {name, attributes, x, y} and edges {from, to, processed, points}, in pixels, and how large it all is.
 * From: Sugiyama, Tagawa and Toda, 1981: layers by the longest way, edges over several layers through points of their own, each
 *       layer ordered by the mean place of its neighbours.
 */

export const NODE = { width: 150, height: 58 };
const BETWEEN_LAYERS = 104; // room for an edge's figures
const BETWEEN_NODES = 22;
const MARGIN = 8;
const SWEEPS = 6;

const NAME = String.raw`("(?:[^"\\]|\\.)*"|[\w.]+)`;
const EDGE = new RegExp(String.raw`^\s*${NAME}\s*->\s*${NAME}\s*(?:\[(.*)\])?;?\s*$`);
const STATEMENT = new RegExp(String.raw`^\s*${NAME}\s*\[(.*)\];?\s*$`);
const ATTRIBUTE = /([\w-]+)\s*=\s*"((?:[^"\\]|\\.)*)"/g;

/** {nodes: [{name, attributes}], edges: [{from, to, processed}]}; `processed` is null where the graph has no counters. */
export function readDot(dot) {
  const nodes = new Map();
  const edges = [];
  const node = (name) => nodes.get(name) ?? nodes.set(name, { name, attributes: {} }).get(name);
  for (const line of dot.split("\n")) {
    const edge = EDGE.exec(line);
    const statement = edge ? null : STATEMENT.exec(line);
    if (edge) {
      const [from, to] = [node(edge[1]).name, node(edge[2]).name];
      const { processed } = attributes(edge[3] ?? "");
      edges.push({ from, to, processed: processed === undefined ? null : Number(processed) });
    } else if (statement && statement[1] !== "graph") Object.assign(node(statement[1]).attributes, attributes(statement[2]));
  }
  return { nodes: [...nodes.values()], edges };
}

export function laidOut({ nodes, edges }) {
  const layerOf = layers(nodes, edges);
  const places = new Map(nodes.map((node) => [node.name, { ...node, layer: layerOf.get(node.name), height: NODE.height, near: { before: [], after: [] }, y: 0 }]));
  const ways = edges.map((edge) => way(edge, places));
  const columns = d3.range(d3.max(places.values(), (place) => place.layer + 1) ?? 0).map((layer) => [...places.values()].filter((place) => place.layer === layer));
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    for (const column of columns) arrange(column, "before");
    for (const column of [...columns].reverse()) arrange(column, "after");
  }
  return drawable(nodes, ways, places);
}

function attributes(text) {
  return Object.fromEntries([...text.matchAll(ATTRIBUTE)].map(([, name, value]) => [name, value]));
}

/** The length of the longest way to each node; a graph that comes back to itself is cut where it does. */
function layers(nodes, edges) {
  const before = d3.group(edges, (edge) => edge.to);
  const found = new Map();
  const layer = (name, under) => {
    if (found.has(name)) return found.get(name);
    if (under.has(name)) return -1;
    const within = new Set(under).add(name);
    const deepest = d3.max(before.get(name) ?? [], (edge) => layer(edge.from, within)) ?? -1;
    found.set(name, deepest + 1);
    return deepest + 1;
  };
  for (const { name } of nodes) layer(name, new Set());
  return found;
}

/** The places that an edge goes through, with one in each layer between. */
function way(edge, places) {
  const [from, to] = [places.get(edge.from), places.get(edge.to)];
  const between = d3.range(from.layer + 1, to.layer).map((layer) => ({ name: null, layer, height: 0, near: { before: [], after: [] }, y: 0 }));
  between.forEach((place) => places.set(place, place));
  const through = [from, ...between, to];
  for (const [one, next] of d3.pairs(through)) {
    one.near.after.push(next);
    next.near.before.push(one);
  }
  return { edge, through };
}

/** Orders a column by where its neighbours on one side are, and moves it apart where it would overlap. */
function arrange(column, side) {
  const wanted = new Map(column.map((place) => [place, d3.mean(place.near[side], (near) => near.y) ?? place.y]));
  column.sort((a, b) => wanted.get(a) - wanted.get(b));
  let free = -Infinity;
  for (const place of column) {
    place.y = Math.max(wanted.get(place), free + place.height / 2);
    free = place.y + place.height / 2 + BETWEEN_NODES;
  }
  const shift = d3.mean(column, (place) => wanted.get(place) - place.y) ?? 0;
  for (const place of column) place.y += shift;
}

function drawable(nodes, ways, places) {
  const top = d3.min(places.values(), (place) => place.y - NODE.height / 2) ?? 0;
  const bottom = d3.max(places.values(), (place) => place.y + NODE.height / 2) ?? 0;
  const last = d3.max(places.values(), (place) => place.layer) ?? 0;
  const left = (place) => MARGIN + place.layer * (NODE.width + BETWEEN_LAYERS);
  const y = (place) => place.y - top + MARGIN;
  return {
    width: 2 * MARGIN + last * (NODE.width + BETWEEN_LAYERS) + NODE.width,
    height: bottom - top + 2 * MARGIN,
    nodes: nodes.map(({ name, attributes: told }) => ({ name, attributes: told, x: left(places.get(name)), y: y(places.get(name)) })),
    // An edge ends where a node begins, and goes straight through the layers between.
    edges: ways.map(({ edge, through }) => ({
      ...edge,
      points: through.flatMap((place, i) => {
        const ends = [[left(place), y(place)], [left(place) + NODE.width, y(place)]];
        return i === 0 ? [ends[1]] : i === through.length - 1 ? [ends[0]] : ends;
      }),
    })),
  };
}
