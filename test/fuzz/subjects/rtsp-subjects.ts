/** What a camera says in words: RTSP, SDP, its headers, and the URLs that people paste. */
import { parseChallenges } from '../../../protocols/http-auth/challenge.ts';
import { selectMedias } from '../../../protocols/rtp/media-selection.ts';
import { joinControl } from '../../../protocols/rtsp/control-url.ts';
import { TunnelAnswer } from '../../../protocols/rtsp/http-tunnel.ts';
import { parseHead } from '../../../protocols/rtsp/message.ts';
import { RtspParser } from '../../../protocols/rtsp/rtsp-parser.ts';
import { parseRtpInfo, parseSession, parseTransport } from '../../../protocols/rtsp/transport.ts';
import { parseSdp } from '../../../protocols/sdp/sdp.ts';
import { parseSourceUrl, redactUrl } from '../../../protocols/source-url.ts';
import { CAMERA_SDP } from '../../support/scripted-camera.ts';
import { framerOf, type Subject, textParserOf } from '../subject.ts';

const DESCRIBE_ANSWER = `RTSP/1.0 200 OK\r\nCSeq: 2\r\nContent-Base: rtsp://10.0.0.20/cam/\r\nContent-Type: application/sdp\r\nContent-Length: ${CAMERA_SDP.length}\r\n\r\n${CAMERA_SDP}`;
const FRAMES = '$\0\0\u0004abcd$\u0001\0\u0002ef';

/** Dahua: several encodings of the picture, a back channel, and what a camera adds. */
const RICH_SDP = `v=0\r\no=- 2251938202 2251938202 IN IP4 0.0.0.0\r\ns=RTSP Session/2.0\r\nc=IN IP4 239.1.1.1/127\r\nt=0 0\r\na=control:*\r\na=range:npt=now-\r\na=packetization-supported:DH\r\nm=video 0 RTP/AVP 96 97\r\na=control:trackID=0\r\na=framerate:25.000000\r\na=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1;profile-level-id=64001F;sprop-parameter-sets=Z2QAH6w=,aO4xshs=\r\na=rtpmap:97 H265/90000\r\na=recvonly\r\nm=audio 0 RTP/AVP 8\r\na=control:trackID=1\r\na=rtpmap:8 PCMA/8000\r\na=recvonly\r\nm=application 0 RTP/AVP 107\r\na=control:trackID=4\r\na=rtpmap:107 vnd.onvif.metadata/90000\r\na=recvonly\r\n`;

export const RTSP_SUBJECTS: readonly Subject[] = [
  {
    ...framerOf(
      'RTSP stream',
      () =>
        new RtspParser({
          frame: () => undefined,
          message: () => undefined,
          webServer: () => undefined,
          isChannel: (channel) => channel < 4,
        }),
      new TextEncoder().encode(`${DESCRIBE_ANSWER}${FRAMES}${FRAMES}`),
      new TextEncoder().encode(`${FRAMES}OPTIONS rtsp://x/ RTSP/1.0\r\nCSeq: 1\r\n\r\n${FRAMES}`),
    ),
    isText: true,
    inputsPerParser: 20,
  },
  {
    ...framerOf(
      'RTSP through HTTP',
      () => {
        const answer = new TunnelAnswer();
        let isCut = false;
        return {
          push: (chunk: Uint8Array) => {
            if (!isCut) isCut = answer.push(chunk) !== undefined;
          },
        };
      },
      new TextEncoder().encode(
        `HTTP/1.0 200 OK\r\nContent-Type: application/x-rtsp-tunnelled\r\n\r\n${DESCRIBE_ANSWER}`,
      ),
    ),
    isText: true,
  },
  textParserOf(
    'RTSP head',
    parseHead,
    DESCRIBE_ANSWER.slice(0, DESCRIBE_ANSWER.indexOf('\r\n\r\n')),
  ),
  textParserOf('SDP', parseSdp, CAMERA_SDP, RICH_SDP),
  textParserOf('SDP and its medias', (text) => selectMedias(parseSdp(text)), CAMERA_SDP, RICH_SDP),
  textParserOf(
    'Transport header',
    parseTransport,
    'RTP/AVP/TCP;unicast;interleaved=0-1;ssrc=0A0B0C0D;mode="PLAY"',
    'RTP/AVP;multicast;destination=239.1.1.1;port=5000-5001;ttl=16;source=10.0.0.20',
  ),
  textParserOf('Session header', parseSession, '12345678;timeout=60', ' a ; timeout = 30s'),
  textParserOf(
    'RTP-Info header',
    parseRtpInfo,
    'url=rtsp://10.0.0.20/cam/trackID=0;seq=45102;rtptime=2890844526,url=trackID=1;seq=1;rtptime=0',
  ),
  textParserOf(
    'WWW-Authenticate header',
    (text) => parseChallenges([text]),
    'Digest realm="IP Camera(12345)", nonce="abc\\"d", stale=FALSE, algorithm=SHA-256, qop="auth,auth-int", Basic realm="x"',
  ),
  textParserOf(
    'control URL',
    (text) => joinControl('rtsp://10.0.0.20:554/cam?x=1', text),
    'trackID=0',
    'rtsp://0.0.0.0:554/cam/trackID=1?y=2',
    '*',
  ),
  textParserOf(
    'source URL',
    parseSourceUrl,
    'rtsp://admin:p@ss:w/rd#1?@[fe80::1%25eth0]:8554/Streaming/Channels/101?transport=tcp',
  ),
  textParserOf(
    'redacted URL',
    redactUrl,
    'rtsp://admin:secret@10.0.0.20/user=a_password=b_channel=1?pwd=x&y=1',
  ),
];
