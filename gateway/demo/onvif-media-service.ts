/** The virtual camera's media service: one profile, and where its stream is. ONVIF Media §5. */
import { escapeXml, textAt, type XmlElement } from '../../protocols/soap/xml.ts';
import { invalidArgument, type OnvifService } from './onvif-operation.ts';
import { PTZ_CONFIGURATION } from './onvif-ptz-service.ts';
import { PICTURE } from './scene.ts';

const PROFILE_TOKEN = 'main';

const SIZE = `<tt:Width>${PICTURE.width}</tt:Width><tt:Height>${PICTURE.height}</tt:Height>`;
const KBPS = 256;
const ENCODER =
  `<tt:Name>pattern</tt:Name><tt:UseCount>1</tt:UseCount><tt:Encoding>H264</tt:Encoding><tt:Resolution>${SIZE}</tt:Resolution>` +
  `<tt:Quality>1</tt:Quality><tt:RateControl><tt:FrameRateLimit>${PICTURE.fps}</tt:FrameRateLimit>` +
  `<tt:EncodingInterval>1</tt:EncodingInterval><tt:BitrateLimit>${KBPS}</tt:BitrateLimit></tt:RateControl>` +
  `<tt:H264><tt:GovLength>${2 * PICTURE.fps}</tt:GovLength><tt:H264Profile>Baseline</tt:H264Profile></tt:H264>` +
  '<tt:SessionTimeout>PT60S</tt:SessionTimeout>';
const PROFILE =
  `token="${PROFILE_TOKEN}" fixed="true"><tt:Name>main</tt:Name>` +
  '<tt:VideoSourceConfiguration token="source"><tt:Name>source</tt:Name><tt:UseCount>1</tt:UseCount><tt:SourceToken>scene</tt:SourceToken>' +
  `<tt:Bounds x="0" y="0" width="${PICTURE.width}" height="${PICTURE.height}"/></tt:VideoSourceConfiguration>` +
  `<tt:VideoEncoderConfiguration token="encoder">${ENCODER}</tt:VideoEncoderConfiguration>` +
  `<tt:PTZConfiguration ${PTZ_CONFIGURATION}</tt:PTZConfiguration>`;

export function mediaService(streamUrl: () => string): OnvifService {
  return {
    path: '/onvif/media_service',
    namespace: 'http://www.onvif.org/ver10/media/wsdl',
    prefix: 'trt',
    operations: {
      GetProfiles: () => `<trt:Profiles ${PROFILE}</trt:Profiles>`,
      GetProfile: (request) => {
        checkProfile(request);
        return `<trt:Profile ${PROFILE}</trt:Profile>`;
      },
      GetStreamUri: (request) => {
        checkProfile(request);
        return (
          `<trt:MediaUri><tt:Uri>${escapeXml(streamUrl())}</tt:Uri><tt:InvalidAfterConnect>false</tt:InvalidAfterConnect>` +
          '<tt:InvalidAfterReboot>false</tt:InvalidAfterReboot><tt:Timeout>PT0S</tt:Timeout></trt:MediaUri>'
        );
      },
      GetVideoSources: () =>
        `<trt:VideoSources token="scene"><tt:Framerate>${PICTURE.fps}</tt:Framerate><tt:Resolution>${SIZE}</tt:Resolution></trt:VideoSources>`,
      GetVideoEncoderConfigurations: () =>
        `<trt:Configurations token="encoder">${ENCODER}</trt:Configurations>`,
      GetVideoEncoderConfiguration: () =>
        `<trt:Configuration token="encoder">${ENCODER}</trt:Configuration>`,
    },
  };
}

function checkProfile(request: XmlElement): void {
  if (textAt(request, 'ProfileToken') === PROFILE_TOKEN) return;
  throw invalidArgument('ter:NoProfile', 'The requested profile does not exist');
}
