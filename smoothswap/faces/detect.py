"""The faces of a frame: YuNet's boxes, and the landmarks in them; dlib's HOG as the other choice.

Which landmarks: bench.detection measures them against rendered heads whose landmarks are known and on photographs.
"""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

from smoothswap.faces import landmarks, yunet
from smoothswap.faces.align import AlignmentError, five_points
from smoothswap.faces.face import Face, FaceDetector, check_frame, largest_first

DETECTORS = ("yunet", "yunet-dlib", "hog")
LANDMARKS = ("mesh", "dlib")
SURE, NEAR = 0.9, 0.1  # presence and agreement with YuNet from which one look at the mesh is enough


class Detector:
    """Finds faces with YuNet and places 68 landmarks in each.

    threshold: YuNet's score from which on a box is a face, 0 to 1.
    points: "mesh", FaceMesh's 478 points reduced to 68; or "dlib", dlib's predictor in a chip cut by YuNet's five points.
    presence: of the mesh, from 0 to 1: where the landmark network sees less of a face than this, the landmarks are
        doubted, and `detect` leaves the face out.
    disagreement: of the mesh: the same where its five points lie farther from YuNet's, on average and in parts of the
        box's mean side.

    Where the mesh is less than sure (presence under 0.9, or the points 0.1 apart), its own points make a second crop, whose
    mesh counts unless the network is less sure of it.
    """

    def __init__(
        self, threshold: float = 0.6, points: str = "mesh", presence: float = 0.1, disagreement: float = 0.2
    ) -> None:
        if points not in LANDMARKS:
            raise ValueError(f"points is one of {', '.join(LANDMARKS)}, got {points!r}")
        numbers = {"threshold": threshold, "presence": presence, "disagreement": disagreement}
        for name, value in numbers.items():
            if not 0 <= value <= 1:
                raise ValueError(f"{name} is a number from 0 to 1, got {value!r}")
        self.threshold, self.points = threshold, points
        self.presence, self.disagreement = presence, disagreement
        self.name = f"yunet-{points}-68"
        self.licence = "YuNet: MIT; landmarks: " + (
            "Apache-2.0 (FaceMesh v2)" if points == "mesh" else "iBUG 300-W, no commercial use; dlib: BSL-1.0"
        )
        yunet.model_path()

    @property
    def parameters(self) -> dict[str, Any]:
        """Every option that changes a result."""
        doubt = (
            {"presence": self.presence, "disagreement": self.disagreement} if self.points == "mesh" else {}
        )
        return {"threshold": self.threshold, "points": self.points, **doubt}

    @property
    def weights_sha256(self) -> str:
        """Hash over the hashes of YuNet and of the landmark model."""
        if self.points == "mesh":
            second = landmarks.network_sha256()
        else:
            from smoothswap.faces import dlib_landmarks

            second = dlib_landmarks.sha256(dlib_landmarks.model_path())
        return hashlib.sha256(f"{yunet.SHA256} {second}".encode()).hexdigest()

    def detect(self, frame: np.ndarray) -> list[Face]:
        """The faces of a uint8 [h, w, 3] RGB frame, largest first, without those whose landmarks are doubted."""
        return [face for face in self.found(frame) if not face.doubt]

    def found(self, frame: np.ndarray) -> list[Face]:
        """The same with them."""
        check_frame(frame)
        frame = np.ascontiguousarray(frame)
        rows = yunet.find(frame, self.threshold)
        return largest_first(self._mesh(frame, rows) if self.points == "mesh" else self._dlib(frame, rows))

    def _mesh(self, frame: np.ndarray, rows: np.ndarray) -> list[Face]:
        fives = rows[:, 4:14].reshape(-1, 5, 2)
        affines = [landmarks.crop_affine(row[:4], five) for row, five in zip(rows, fives, strict=True)]
        points, presence = landmarks.mesh(frame, affines)
        apart = _apart(points, rows)
        for i in np.flatnonzero((presence < SURE) | (apart > NEAR)):
            second, sure = landmarks.mesh(frame, [landmarks.crop_affine_again(points[i])])
            if sure[0] >= min(presence[i], SURE):
                points[i], presence[i] = second[0], sure[0]
        apart = _apart(points, rows)
        faces = []
        for row, mesh, present, far in zip(rows, points, presence, apart, strict=True):
            doubt = ""
            if present < self.presence or far > self.disagreement:
                doubt = f"the landmarks are doubtful (presence {present:.2f}, {far:.2f} from the detector's)"
            faces.append(_face(row, mesh[landmarks.IBUG], doubt))
        return faces

    def _dlib(self, frame: np.ndarray, rows: np.ndarray) -> list[Face]:
        from smoothswap.faces import dlib_landmarks  # dlib is loaded by those who ask for it

        faces = []
        for row in rows:
            try:
                faces.append(_face(row, dlib_landmarks.predict(frame, row[4:14].reshape(5, 2)), ""))
            except AlignmentError as error:
                faces.append(_face(row, np.full((68, 2), np.nan), f"no chip can be cut: {error}"))
        return faces


def _apart(meshes: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Mean distance of the mesh's five points from YuNet's, in parts of the box's mean side: [n]."""
    fives = [five_points(mesh[landmarks.IBUG]) for mesh in meshes]
    far = np.linalg.norm(np.reshape(fives, (-1, 5, 2)) - rows[:, 4:14].reshape(-1, 5, 2), axis=2).mean(1)
    return np.asarray(far / np.sqrt(rows[:, 2] * rows[:, 3]), np.float64)


def _face(row: np.ndarray, points: np.ndarray, doubt: str) -> Face:
    x, y, width, height = (float(value) for value in row[:4])
    return Face((x, y, x + width, y + height), points.astype(np.float32), float(row[14]), doubt)


def create(name: str = "yunet") -> FaceDetector:
    """A detector by the name that commands take.

    Args:
        name: "yunet" (landmarks of the mesh), "yunet-dlib" or "hog".

    Returns:
        The detector, its files found.

    Raises:
        ValueError: For another name.
        DetectorError: Where a file is missing.
    """
    if name not in DETECTORS:
        raise ValueError(f"unknown detector {name!r}; there are {', '.join(DETECTORS)}")
    if name == "hog":
        from smoothswap.faces.hog import HogDetector  # dlib is loaded by those who ask for it

        return HogDetector()
    return Detector(points="dlib" if name.endswith("dlib") else "mesh")
