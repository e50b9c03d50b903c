/** Those in a meeting see each other's picture and hear each other's tone. */
import { story } from '../lib/runner.mjs';
import { AN_PHUOC, BINH_SON, CHAIR } from '../lib/server.mjs';

story('two participants see and hear each other', async world => {
  const server = await world.server();
  const [hall, commune] = await twoJoin(world, server);
  await hall.sees(AN_PHUOC, 'commune');
  await commune.sees(CHAIR, 'hall');
  await hall.hears('commune');
  await commune.hears('hall');
});

story('three participants see and hear each other', async world => {
  const server = await world.server();
  const [hall, commune, village] = await threeJoin(world, server);
  await hall.sees(AN_PHUOC, 'commune');
  await hall.sees(BINH_SON, 'village');
  await commune.sees(CHAIR, 'hall');
  await commune.sees(BINH_SON, 'village');
  await village.sees(CHAIR, 'hall');
  await village.sees(AN_PHUOC, 'commune');
  await hall.hears('commune', 'village');
  await commune.hears('hall', 'village');
  await village.hears('hall', 'commune');
});

export async function twoJoin(world, server, { hallOptions, communeOptions } = {}) {
  const hall = await world.participant('hall', hallOptions);
  const commune = await world.participant('commune', communeOptions);
  await hall.join(server.link(CHAIR));
  await commune.join(server.link(AN_PHUOC));
  return [hall, commune];
}

export async function threeJoin(world, server, options) {
  const two = await twoJoin(world, server, { hallOptions: options, communeOptions: options });
  const village = await world.participant('village', options);
  await village.join(server.link(BINH_SON));
  return [...two, village];
}
