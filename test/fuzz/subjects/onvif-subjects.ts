/** What an ONVIF device may answer, beyond XML itself: events, encoders, the coordinates it moves in. */
import {
  changedConfiguration,
  readEncoderLimits,
} from '../../../drivers/onvif/encoder-configuration.ts';
import { motionIn } from '../../../drivers/onvif/motion-topics.ts';
import {
  positionVector,
  readPtzConfiguration,
  readPtzNode,
} from '../../../drivers/onvif/ptz-spaces.ts';
import { readNotifications } from '../../../protocols/soap/notification.ts';
import { readXml, writeXml } from '../../../protocols/soap/xml.ts';
import { type Subject, textParserOf } from '../subject.ts';

const NOTIFICATION =
  '<B><NotificationMessage><Topic>tns1:RuleEngine/CellMotionDetector/Motion</Topic><Message><Message PropertyOperation="Changed">' +
  '<Source><SimpleItem Name="Rule" Value="r"/></Source><Data><SimpleItem Name="IsMotion" Value="true"/></Data></Message></Message></NotificationMessage></B>';
const ENCODER =
  '<B><Options GovLengthRange="1 400" ProfilesSupported="Main High"><Encoding>H265</Encoding><BitrateRange><Min>32</Min><Max>16384</Max></BitrateRange>' +
  '<H264><GovLengthRange><Min>1</Min><Max>400</Max></GovLengthRange></H264></Options><Configurations token="e" GovLength="50"><Encoding>H264</Encoding>' +
  '<Resolution><Width>1</Width><Height>1</Height></Resolution><RateControl><BitrateLimit>4096</BitrateLimit></RateControl><H264><GovLength>50</GovLength></H264></Configurations></B>';
const NODE =
  '<B><NodeToken>n</NodeToken><PTZNode token="n"><SupportedPTZSpaces><AbsolutePanTiltPositionSpace><URI>u</URI><XRange><Min>-1</Min><Max>1</Max></XRange>' +
  '<YRange><Min>-1</Min><Max>1</Max></YRange></AbsolutePanTiltPositionSpace></SupportedPTZSpaces></PTZNode></B>';

export const ONVIF_SUBJECTS: readonly Subject[] = [
  textParserOf(
    'ONVIF notifications',
    (text) => readNotifications(readXml(text)).map(motionIn),
    NOTIFICATION,
  ),
  textParserOf('ONVIF encoder', setEncoder, ENCODER),
  textParserOf('ONVIF PTZ node', readNode, NODE),
];

function setEncoder(text: string): string[] {
  const body = readXml(text);
  const configuration = body.children.find(({ name }) => name === 'Configurations');
  if (configuration === undefined) return [];
  return [true, false].map((isMedia2) => {
    const limits = readEncoderLimits(body, isMedia2);
    const change = { codec: isMedia2 ? 'h265' : 'h264', kbps: 1000, gopFrames: 25 } as const;
    return writeXml(changedConfiguration(configuration, change, limits, isMedia2), '');
  });
}

function readNode(text: string): unknown {
  const body = readXml(text);
  const configuration = readPtzConfiguration(body);
  const node = configuration && readPtzNode(body, configuration);
  return node && positionVector({ pan: 1, tilt: -1, zoom: 0.5 }, node, undefined);
}
