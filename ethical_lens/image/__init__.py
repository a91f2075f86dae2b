"""Pictures in, concept scores and repaired pictures out. In the order the data travels:

- `sniffing`: what a file says it is, and whether it may be read, before anything is decoded.
- `reading`: a file, which may be anything, to a picture that scrutiny can take.
- `views`: the squares of a picture that the encoder looks at, so that no border is left out.
- `encoder`: the frozen open_clip image encoder.
- `heads`: one small network per concept on the encoder's features.
- `scrutineer`: encoder and heads, loaded once: pictures in, scores out.
- `regions`: CLIPSeg, which says where in a picture something is.
- `readings`: what reading faces gives, and what every face reader is.
- `faces`: a detector and a classifier of faces that were trained together.
- `attributes`: readers of a crop: FairFace's network, or the encoder and a few texts.
- `face_readers`: which face reader a set of models has.
- `areas`: what to blur: regions of the heads that fired, faces of named figures.
- `blur`: the repair of a region. Pure.
- `scrutinise`: score, read faces, decide, blur and score again, for one batch of pictures.
- `face_edit`: a face that does not show what was drawn for it is changed, confirmed, and the
  picture judged once more.
- `diffusion_editor`: does that with the painter's own weights.
- `errors`: what can go wrong; every one of these stops the picture's way to release.
"""
