/** The eight entries that RFC 6962 implementations share (transparency-dev/merkle testonly/constants.go, Apache-2.0). */
export const CLASSIC_ENTRIES = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657'].concat(
  '606162636465666768696a6b6c6d6e6f',
);

export const CLASSIC_LEAVES = [
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
  '0298d122906dcfc10892cb53a73992fc5b9f493ea4c9badb27b791b4127a7fe7',
  '07506a85fd9dd2f120eb694f86011e5bb4662e5c415a62917033d4a9624487e7',
  'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
  '4271a26be0d8a84f0bd54c8c302e7cb3a3b5d1fa6780a40bcce2873477dab658',
  'b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f',
  '46f6ffadd3d06a09ff3c5860d2755c8b9819db7df44251788c7d8e3180de8eb1',
];

/** Root hashes at sizes 0 to 8. */
export const CLASSIC_ROOTS = [
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];

/** Consistency proofs by "older newer", each hash's first four bytes. */
export const CLASSIC_CONSISTENCY: Readonly<Record<string, string>> = {
  '1 8': '96a296d2 5f083f0a 6b47aaf2',
  '6 8': '0ebc5d34 ca854ea1 d37ee418',
  '2 5': '5f083f0a bc1a0643',
  '6 7': '0ebc5d34 b08693ec d37ee418',
  '4 8': '6b47aaf2',
  '3 7': '0298d122 07506a85 fac54203 837dbb15',
  '7 8': 'b08693ec 46f6ffad 0ebc5d34 d37ee418',
};

/** Inclusion proofs by "index size", each hash's first four bytes. */
export const CLASSIC_INCLUSION: Readonly<Record<string, string>> = {
  '0 8': '96a296d2 5f083f0a 6b47aaf2',
  '5 8': 'bc1a0643 ca854ea1 d37ee418',
  '2 3': 'fac54203',
  '1 5': '6e340b9c 5f083f0a bc1a0643',
  '6 7': '0ebc5d34 d37ee418',
};

/** Root hashes where entry i is the ASCII text "leaf i" (agreed between Node code and golang.org/x/mod 0.7.0). */
export const NUMBERED_ROOTS: Readonly<Record<number, string>> = {
  1: '1bb97dcc21635d47e2663efdfd0a174686d98dd701352dd2cd06e8b43fd3d305',
  2: 'fc5f6b88ff8554f75bb2f9e6f39c31b1936d44b69276edf7b1205a955b9761e3',
  3: 'd4f92c8fbb89720eb3b55677c7d7efaddfeb10d11a1a84a0ba8f1a23337faa95',
  100: '13f88915c560dc911a1da0fb209d84a20971051f294ebeb428fb3fc293af2743',
  255: 'd71592a219d4067663eede247f9b54c3f9e0290682d55de09b495b07f1de41c9',
  256: 'cf5effdb11d0927a2edf53b0e73c7837f659414e00537da5d90eb5c4c49ff274',
  257: '855b936aa00cb98b5114484249ad39d78a6be93623e26c01e8e487dc02184a5a',
  65536: 'e100ba54d69a91012fc13b7890feac78d6996a097268b6f735d17311c7402a60',
  70000: 'da0532ff7b2ee56f4067110fc964e9f27b5959f9527bfff3fa501aa7584deaf3',
};
