/**
 * What real receivers sent: excerpts of the logs that gpsd's users recorded for its tests (test/daemon/*.log; names of the files
 * below, read on 2026-11-25), and of u-blox's own start.
 */

/** quectel-eg25-g.log: EG25-G in a PinePhone, firmware EG25GGBR07A08M2G, 2022-09-11. It has just been switched on … */
export const QUECTEL_SEARCHING = `
$GLGSV,2,1,08,78,38,036,22,79,53,313,19,88,22,080,26,68,39,195,21,1*75
$GNGNS,191434.96,,,,,NNN,,,,,,*36
$GPVTG,,T,,M,,N,,K,N*2C
$GPGSA,A,1,,,,,,,,,,,,,,,,*32
$GNGSA,A,1,,,,,,,,,,,,,,,,*2C
$GPGGA,,,,,,0,,,,,,,,*66
$GPRMC,,V,,,,,,,,,,N*53
`;

/** … and half a minute later. */
export const QUECTEL_FIX = `
$GAGSV,1,1,02,04,52,298,,09,03,322,,7*78
$GPGGA,191503.01,3645.876324,N,03124.670280,E,1,03,1.3,-6.7,M,32.0,M,,*49
$GNGNS,191503.01,3645.876324,N,03124.670280,E,AAN,08,1.3,-6.7,32.0,,,V*42
$GPVTG,300.5,T,296.9,M,1.3,N,2.3,K,A*22
$GPRMC,191503.01,A,3645.876324,N,03124.670280,E,1.3,300.5,110922,3.6,E,A,V*4E
$GPGSA,A,3,13,15,17,,,,,,,,,,2.9,1.3,2.6,1*22
$GNGSA,A,3,13,15,17,,,,,,,,,,2.9,1.3,2.6,1*3C
`;

/** telit-pls83-w.log: Telit PLS83-W, 2025-09-04: one GGA for each system. */
export const TELIT = `
$GPGGA,043539.00,4333.190206,N,00127.618380,E,1,05,1.3,250.8,M,50.0,M,,*62
$GAGGA,043539.00,4333.190206,N,00127.618380,E,1,01,1.3,250.8,M,50.0,M,,*77
$GNGNS,043539.00,4333.190206,N,00127.618380,E,AAAAN,14,1.3,250.8,50.0,,,V*62
$GPVTG,,T,1.7,M,0.0,N,0.0,K,A*0B
$GPRMC,043539.00,A,4333.190206,N,00127.618380,E,0.0,,040925,1.7,W,A,V*7C
$GARMC,043539.00,A,4333.190206,N,00127.618380,E,0.0,,040925,1.7,W,A,V*6D
$GNGSA,A,2,02,08,10,23,27,,,,,,,,1.6,1.3,0.9,1*33
`;

/** furuno_gl_ga.log: Furuno GT-88, 2022-07-31: no satellites in GGA; sentences of its own. */
export const FURUNO = `
$GNRMC,120213.000,A,5957.0062,N,01100.6429,E,0.00,0.00,310722,,,D,V*0A
$GNGNS,120213.000,5957.0062,N,01100.6429,E,NDD,11,1.3,168.9,39.5,,,V*57
$GNGGA,120213.000,5957.0062,N,01100.6429,E,2,00,1.3,168.9,M,39.5,M,,*4A
$GNGSA,A,3,68,69,70,78,84,85,,,,,,,1.5,1.3,1.0,2*3D
$PERDCRZ,TPS4,7,1,1,+000000,-000002,+009999,+059054,+00731,880000,0x54,0xA6*7D
`;

/** beidou-gb.log: SiRF-TriG, 2015-03-02: a date before there is a fix. */
export const SIRF_SEARCHING = `
$PSRFEPE,053231.438,V,,,,,*2A
$GPGGA,053231.438,,,,,0,00,,,M,0.0,M,,0000*5F
$GNGNS,053231.438,,,,,NNNN,00,,,0.0,,0000*6A
$GNGSA,A,1,,,,,,,,,,,,,,,*00
$GBGSV,2,1,05,201,00,000,44,202,14,089,35,204,00,000,42,205,27,091,*66
$GNRMC,053231.438,V,,,,,,,020315,,,N*5F
`;

/** nmea-fuzzy-cases.log: Trimble with RTK, 2020-03-18, west of Greenwich: 91 bytes. */
export const TRIMBLE = `
$GNGGA,133900.10,4134.50180243,N,09345.03586611,W,4,19,0.7,280.828,M,-31.442,M,6.1,0002*63
$GNRMC,133900.10,A,4134.50180243,N,09345.03586611,W,0.005,0.000,180320,11.5982,E,D*30
`;

/** What a NEO-M8N says of itself when it is switched on. */
export const UBLOX_START = `
$GNTXT,01,01,02,u-blox AG - www.u-blox.com*4E
$GNTXT,01,01,02,HW UBX-M8030 00080000*60
`;

/** As they come: each line with CR LF. */
export function asSent(log: string): Uint8Array {
  return Buffer.from(log.trim().replaceAll('\n', '\r\n').concat('\r\n'), 'latin1');
}
